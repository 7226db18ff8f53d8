package spellshield.sampler.guarantee;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import spellshield.index.ProtectedSet;
import spellshield.index.kernel.Distance;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// What was checked about one latent: it is outside the ball of every latent of a set.
///
/// It states `min_k ‖x0 − z_k‖ ≥ nearestLower > radius`, for the bytes whose hash it names and the
/// set whose hash it names; it says nothing about likeness in any other sense. Doubles are printed
/// so that they read back to the same bits.
///
/// @param statement the claim in one sentence
/// @param setId SHA-256 of the set's manifest, which names the SHA-256 of every file of the set
/// @param setGeneration which generation of the set
/// @param setCount how many latents it protects
/// @param space the latent space, described
/// @param spaceFingerprint its fingerprint
/// @param radius r
/// @param nearestId the id of the nearest protected item, empty for an empty set
/// @param nearestDistance the computed distance to it, +∞ for an empty set
/// @param nearestLower a number that the true distance to any protected latent is not below;
///   `nearestDistance − nearestLower` is the numeric margin
/// @param arithmetic the name of the fixed arithmetic of the distance
/// @param search always `exact`
/// @param latentSha256 SHA-256 of the latent: D little-endian float32
/// @param seed the seed that made it, after resampling
/// @param requestedSeed the seed that was asked for
/// @param attempts 1, and 1 more for each resampling
/// @param sampler and schedule, by name
/// @param steps of the sampler
/// @param shieldSearches searches during sampling
/// @param shieldActed predictions that the shield pushed
/// @param finalSearches exact searches after the last step
/// @param moved how far the finished latent was moved
public record Certificate(
    String statement,
    String setId,
    long setGeneration,
    long setCount,
    String space,
    String spaceFingerprint,
    double radius,
    String nearestId,
    double nearestDistance,
    double nearestLower,
    String arithmetic,
    String search,
    String latentSha256,
    long seed,
    long requestedSeed,
    int attempts,
    String sampler,
    int steps,
    int shieldSearches,
    int shieldActed,
    int finalSearches,
    double moved) {

  /// What every certificate claims.
  public static final String STATEMENT =
      "The latent with this SHA-256 is farther than the radius from every latent of the named set.";

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .build();

  /// Returns the certificate as JSON.
  public String toJson() {
    return MAPPER.writeValueAsString(this);
  }

  /// Reads a certificate back.
  ///
  /// @throws IllegalArgumentException if the text is none
  public static Certificate parse(String json) {
    try {
      Certificate certificate = MAPPER.readValue(json, Certificate.class);
      if (certificate == null) { // the text "null"
        throw new IllegalArgumentException("no certificate: " + json);
      }
      return certificate;
    } catch (JacksonException e) {
      throw new IllegalArgumentException("no certificate: " + e.getOriginalMessage(), e);
    }
  }

  /// Checks every claim anew by brute force over the stored latents, without sketches or index.
  ///
  /// @param latent the latent that the certificate is said to be about
  /// @return what does not hold, a line each; empty when all does
  public List<String> check(ProtectedSet set, float[] latent) {
    List<String> problems = new ArrayList<>();
    require(problems, STATEMENT.equals(statement), "the statement is not the known one");
    require(problems, setId.equals(set.id()), "it is about the set " + setId);
    require(
        problems,
        setGeneration == set.manifest().generation(),
        "it is about generation %d, but the set is generation %d"
            .formatted(setGeneration, set.manifest().generation()));
    require(
        problems,
        space.equals(set.space().toString()) && spaceFingerprint.equals(set.space().fingerprint()),
        "it is about the space '%s', but the set lives in '%s'".formatted(space, set.space()));
    require(
        problems, setCount == set.count(), "the set does not have %d latents".formatted(setCount));
    require(
        problems, latentSha256.equals(sha256(latent)), "it is about the latent " + latentSha256);
    require(problems, Distance.ARITHMETIC.equals(arithmetic), "unknown arithmetic " + arithmetic);
    require(problems, search.equals("exact"), "the search was '%s', not exact".formatted(search));
    if (latent.length != set.space().dim()) {
      problems.add(
          "the latent has %d values, but the set's have %d"
              .formatted(latent.length, set.space().dim()));
      return problems; // there is no distance to check
    }
    double least = Double.POSITIVE_INFINITY;
    double lower = Double.POSITIVE_INFINITY;
    String id = "";
    float[] stored = new float[latent.length];
    for (long item : (Iterable<Long>) set.living().items()::iterator) {
      double error = set.latents().read(item, stored);
      double distance = Distance.between(latent, stored);
      if (distance < least) {
        least = distance;
        id = set.item(item).id();
      }
      lower = Math.min(lower, Distance.lower(distance, latent.length) - error);
    }
    require(
        problems,
        nearestDistance == least && nearestId.equals(id),
        "the nearest is '%s' at %s, not '%s' at %s"
            .formatted(id, least, nearestId, nearestDistance));
    require(
        problems,
        lower > radius && nearestLower > radius && nearestLower <= lower,
        "the lower bound is %s, the certificate says %s, the radius is %s"
            .formatted(lower, nearestLower, radius));
    return problems;
  }

  private static void require(List<String> problems, boolean holds, String message) {
    if (!holds) {
      problems.add(message);
    }
  }

  /// Returns the SHA-256, in hex, of a latent's little-endian float32 values.
  public static String sha256(float[] latent) {
    ByteBuffer bytes = ByteBuffer.allocate(latent.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(latent);
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
