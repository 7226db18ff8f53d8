package spellshield.sampler.pipeline;

import java.util.Locale;

/// Where the time of some requests went, added up; see [Request#timing]. Not for several threads.
public final class Timing {
  private int images;
  private long networkNanos;
  private long searchNanos;
  private long shieldNanos;
  private long guaranteeNanos;
  private long codecNanos;

  void addNetwork(long nanos) {
    networkNanos += nanos;
  }

  void addShield(long search, long all) {
    searchNanos += search;
    shieldNanos += all;
  }

  void addGuarantee(long nanos) {
    guaranteeNanos += nanos;
  }

  void addCodec(long nanos) {
    codecNanos += nanos;
  }

  void addImages(int count) {
    images += count;
  }

  public int images() {
    return images;
  }

  /// Returns what the network and its guidance took, in milliseconds an image.
  public double networkMillis() {
    return perImage(networkNanos);
  }

  /// Returns what the searches of the steps took, in milliseconds an image.
  public double searchMillis() {
    return perImage(searchNanos);
  }

  /// Returns what the shield took at the steps, searches and Δ, in milliseconds an image.
  public double shieldMillis() {
    return perImage(shieldNanos);
  }

  /// Returns what the guarantee took without decoding and encoding, in milliseconds an image.
  public double guaranteeMillis() {
    return perImage(guaranteeNanos);
  }

  /// Returns what decoding and encoding again took, in milliseconds an image.
  public double codecMillis() {
    return perImage(codecNanos);
  }

  private double perImage(long nanos) {
    return nanos / 1e6 / Math.max(1, images);
  }

  /// Returns all of it in one line.
  @Override
  public String toString() {
    double added = shieldMillis() + guaranteeMillis();
    return String.format(
        Locale.ROOT,
        "an image: network %.1f ms, shield %.2f ms (searches %.2f), guarantee %.2f ms, decoding and"
            + " encoding %.1f ms; shield and guarantee are %.1f %% of the network",
        networkMillis(),
        shieldMillis(),
        searchMillis(),
        guaranteeMillis(),
        codecMillis(),
        100 * added / Math.max(1e-9, networkMillis()));
  }
}
