/// Networks in ONNX files: the one door to ONNX Runtime.
@NullMarked
package spellshield.sampler.onnx;

import org.jspecify.annotations.NullMarked;
