package spellshield.index.linalg;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.eigen.Eigen;
import org.nd4j.linalg.factory.Nd4j;

/// A dense row-major matrix in ND4J's memory, float32 or float64.
///
/// The memory lies outside the Java heap and is given back by [#close()]. A matrix is not changed
/// after it was made, so any number of threads may read it.
public final class Matrix implements AutoCloseable {
  private final INDArray array;

  private Matrix(INDArray array) {
    this.array = array;
  }

  /// Copies `rows × columns` float32 values, row by row.
  public static Matrix of(float[] values, int rows, int columns) {
    requireShape(values.length, rows, columns);
    return new Matrix(Nd4j.createFromArray(values).reshape(rows, columns));
  }

  /// Copies `rows × columns` float64 values, row by row.
  public static Matrix of(double[] values, int rows, int columns) {
    requireShape(values.length, rows, columns);
    return new Matrix(Nd4j.createFromArray(values).reshape(rows, columns));
  }

  public int rows() {
    return array.rows();
  }

  public int columns() {
    return array.columns();
  }

  /// Returns `this · other`.
  ///
  /// The bits of a float32 product may depend on the shapes and on the machine: callers that need
  /// equal bits for equal rows keep the shapes fixed.
  public Matrix multiply(Matrix other) {
    return new Matrix(Nd4j.gemm(array, other.array, false, false));
  }

  /// Returns `this · otherᵀ`.
  public Matrix multiplyTransposed(Matrix other) {
    return new Matrix(Nd4j.gemm(array, other.array, false, true));
  }

  /// Returns `thisᵀ · other`.
  public Matrix transposeMultiply(Matrix other) {
    return new Matrix(Nd4j.gemm(array, other.array, true, false));
  }

  /// Copies row `i` of a float32 matrix that was made by `of` into `target`, bit by bit.
  ///
  /// @param target takes as many values as the matrix has columns, from `offset`
  public void copyRow(int i, float[] target, int offset) {
    array.data().asNioFloat().get(Math.multiplyExact(i, columns()), target, offset, columns());
  }

  /// Copies all values of a float32 matrix column by column into `target`, from `offset`.
  ///
  /// A product lies in memory this way, so that this is one plain copy.
  public void copyColumnMajor(float[] target, int offset) {
    INDArray columnMajor = array.ordering() == 'f' && !array.isView() ? array : array.dup('f');
    columnMajor.data().asNioFloat().get(0, target, offset, Math.toIntExact(array.length()));
  }

  /// Returns the values row by row as float32.
  public float[] toFloats() {
    return rowMajor().data().asFloat();
  }

  /// Returns the values row by row as float64.
  public double[] toDoubles() {
    return rowMajor().data().asDouble();
  }

  private INDArray rowMajor() {
    return array.ordering() == 'c' && !array.isView() ? array : array.dup('c');
  }

  /// The eigenvalues of a symmetric matrix, largest first, and its unit eigenvectors as columns.
  public record Eigenpairs(double[] values, double[] vectors) {}

  /// Returns the eigenvalues and eigenvectors of the symmetric `n × n` matrix in `values`.
  ///
  /// @param values row-major, symmetric; not changed
  public static Eigenpairs symmetricEigen(double[] values, int n) {
    requireShape(values.length, n, n);
    // The call overwrites its argument with the eigenvectors, ascending by eigenvalue.
    INDArray vectors = Nd4j.createFromArray(values.clone()).reshape(n, n);
    double[] ascending =
        Eigen.symmetricGeneralizedEigenvalues(vectors, true)
            .castTo(DataType.DOUBLE)
            .data()
            .asDouble();
    double[] columns = vectors.dup('c').data().asDouble();
    double[] sortedValues = new double[n];
    double[] sortedVectors = new double[n * n];
    Integer[] order = new Integer[n];
    for (int i = 0; i < n; i++) {
      order[i] = i;
    }
    java.util.Arrays.sort(order, (a, b) -> Double.compare(ascending[b], ascending[a]));
    for (int j = 0; j < n; j++) {
      sortedValues[j] = ascending[order[j]];
      for (int i = 0; i < n; i++) {
        sortedVectors[i * n + j] = columns[i * n + order[j]];
      }
    }
    return new Eigenpairs(sortedValues, sortedVectors);
  }

  @Override
  public void close() {
    if (array.closeable() && !array.wasClosed()) {
      array.close();
    }
  }

  private static void requireShape(long length, int rows, int columns) {
    if (rows < 1 || columns < 1 || length != (long) rows * columns) {
      throw new IllegalArgumentException(
          "%d values do not fill a matrix of %d × %d".formatted(length, rows, columns));
    }
  }
}
