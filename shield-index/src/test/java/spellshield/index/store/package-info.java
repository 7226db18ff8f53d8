/// The store's tests: a storage that can crash, fail and lie, and what must hold whatever it does.
@NullMarked
package spellshield.index.store;

import org.jspecify.annotations.NullMarked;
