/// Pictures: read safely, resized as Pillow does, written with text inside.
///
/// What is protected is decided by pixels, so they have to be those that the model was trained on.
/// The field prepares its pictures with Pillow; this package gives the same bytes:
///
/// - [spellshield.tools.image.ImageDoor] reads JPEG, PNG, GIF, BMP and WebP. The first bytes decide
///   what a file is, its header is judged before anything is decoded, and whatever is wrong becomes
///   one [spellshield.tools.image.UnreadableImageException] of one line.
/// - [spellshield.tools.image.Resample] is Pillow's two-pass resize, and ADM's and EDM's crops.
/// - [spellshield.tools.image.Png] writes pictures, with certificates and the like as text.
///
/// Colour profiles and EXIF rotation are *not* applied, because the training pipelines do not.
///
/// Start reading at [spellshield.sampler.image.RgbImage].
@NullMarked
package spellshield.tools.image;

import org.jspecify.annotations.NullMarked;
