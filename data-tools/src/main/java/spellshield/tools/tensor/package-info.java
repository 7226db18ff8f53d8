/// Arrays of numbers in the files of Python: `.npy`, `.npz` and safetensors.
///
/// Nothing is believed before it is checked: headers have limits before they are read, a shape must
/// fill its file to the byte before anything is allocated, and Python objects (pickles) are refused
/// by name. Whatever is wrong with a file is a [spellshield.tools.tensor.BadTensorException] of one
/// line. Start at [spellshield.tools.tensor.Tensor].
@NullMarked
package spellshield.tools.tensor;

import org.jspecify.annotations.NullMarked;
