/// Measures of copying that do not depend on a latent space.
@NullMarked
package spellshield.tools.measure;

import org.jspecify.annotations.NullMarked;
