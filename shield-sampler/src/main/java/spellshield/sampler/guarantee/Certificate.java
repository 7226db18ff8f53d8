package spellshield.sampler.guarantee;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import spellshield.index.Coverage;
import spellshield.index.ProtectedSet;
import spellshield.index.kernel.Distance;
import spellshield.index.store.Hashes;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

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
/// @param file what was checked about the file that the latent became; empty where the file's
///   latent is this one, as of pixels
/// @param measured what was measured of the set's recommended radius; empty where nothing was
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
    Optional<FileClaim> file,
    Optional<Measured> measured,
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

  /// What was checked about the emitted picture, which a stranger can repeat from the file alone:
  /// `min_k ‖E(picture) − z_k‖ ≥ nearestLower > radius + encoderTolerance`.
  ///
  /// @param statement the claim in one sentence
  /// @param pictureSha256 SHA-256 of the picture: width and height as 4 bytes each, the higher
  ///   first, then its samples, red, green, blue, row by row
  /// @param nearestId the id of the protected item nearest to the picture's latent, empty for an
  ///   empty set
  /// @param nearestDistance the distance to it, as computed
  /// @param nearestLower what the true distance to any protected latent is not below
  /// @param encoderTolerance how far another machine's encoding of the picture may lie from the one
  ///   that was measured
  public record FileClaim(
      String statement,
      String pictureSha256,
      String nearestId,
      double nearestDistance,
      double nearestLower,
      double encoderTolerance) {

    /// What every certificate claims of its file.
    public static final String STATEMENT =
        "The picture with this SHA-256, encoded again, is farther than the radius from every latent of"
            + " the named set.";
  }

  /// What was measured of the set's recommended radius, quoted from the set: how many edited copies
  /// of protected items it catches, and how many items that were never protected it blocks.
  ///
  /// @param statement the measurement in one sentence, with 95 % bounds
  /// @param coverage the counts, and the epoch of the set that they were made at
  /// @param warning one line where the certificate's radius is wider than the recommended one, else
  ///   empty
  public record Measured(String statement, Coverage coverage, String warning) {

    /// Quotes what a set says.
    ///
    /// @param radius of the certificate
    static Optional<Measured> of(ProtectedSet set, double radius) {
      return set.coverage()
          .map(coverage ->
              new Measured(coverage.toString(), coverage, coverage.warning(radius).orElse("")));
    }
  }

  /// A tolerance above this would hide a picture inside: distances are tens of units.
  private static final double MOST_TOLERANCE = 0.01;

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

  /// Returns what names this certificate elsewhere: the SHA-256, in hex, of its JSON.
  public String id() {
    return Hashes.sha256(toJson().getBytes(StandardCharsets.UTF_8));
  }

  /// Reads a certificate back, also one of an earlier version, which quotes nothing that was
  /// measured.
  ///
  /// @throws IllegalArgumentException if the text is none
  public static Certificate parse(String json) {
    try {
      JsonNode tree = MAPPER.readTree(json);
      if (tree instanceof ObjectNode fields && !fields.has("measured")) {
        fields.putNull("measured");
      }
      Certificate certificate = MAPPER.treeToValue(tree, Certificate.class);
      if (certificate == null) { // the text "null"
        throw new IllegalArgumentException("no certificate: " + json);
      }
      return certificate;
    } catch (JacksonException e) {
      throw new IllegalArgumentException("no certificate: " + e.getOriginalMessage(), e);
    }
  }

  /// Checks the claim about the latent anew by brute force over the stored latents, without
  /// sketches or index.
  ///
  /// @param latent the latent that the certificate is said to be about
  /// @return what does not hold, a line each; empty when all does
  public List<String> check(ProtectedSet set, float[] latent) {
    List<String> problems = checkSet(set);
    require(
        problems, latentSha256.equals(sha256(latent)), "it is about the latent " + latentSha256);
    checkDistances(problems, set, latent, nearestId, nearestDistance, nearestLower, 0);
    return problems;
  }

  /// Checks the claim about the file anew by brute force.
  ///
  /// @param latent what the picture was encoded to here
  /// @param pictureSha256 the picture's hash, as [FileClaim] describes it
  /// @return what does not hold, a line each; empty when all does
  public List<String> checkFile(ProtectedSet set, float[] latent, String pictureSha256) {
    List<String> problems = checkSet(set);
    if (file.isEmpty()) {
      problems.add("it claims nothing of a file");
      return problems;
    }
    FileClaim claim = file.get();
    require(
        problems,
        FileClaim.STATEMENT.equals(claim.statement()),
        "the statement is not the known one");
    require(
        problems,
        claim.pictureSha256().equals(pictureSha256),
        "it is about the picture " + claim.pictureSha256());
    require(
        problems,
        claim.encoderTolerance() >= 0 && claim.encoderTolerance() <= MOST_TOLERANCE,
        "the tolerance of the encoder is %s, which nobody grants"
            .formatted(claim.encoderTolerance()));
    checkDistances(
        problems,
        set,
        latent,
        claim.nearestId(),
        claim.nearestDistance(),
        claim.nearestLower(),
        claim.encoderTolerance());
    return problems;
  }

  private List<String> checkSet(ProtectedSet set) {
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
    require(problems, Distance.ARITHMETIC.equals(arithmetic), "unknown arithmetic " + arithmetic);
    require(problems, search.equals("exact"), "the search was '%s', not exact".formatted(search));
    // Certificates of before quote nothing.
    require(
        problems,
        measured.isEmpty() || measured.equals(Measured.of(set, radius)),
        "what it says was measured is not what the set says");
    return problems;
  }

  /// Measures the distance to every latent and compares it with what was claimed.
  ///
  /// @param tolerance how far the latent may lie from the one that was certified; 0 asks for the
  ///   same bits
  private void checkDistances(
      List<String> problems,
      ProtectedSet set,
      float[] latent,
      String claimedId,
      double claimedDistance,
      double claimedLower,
      double tolerance) {
    if (latent.length != set.space().dim()) {
      problems.add(
          "the latent has %d values, but the set's have %d"
              .formatted(latent.length, set.space().dim()));
      return; // there is no distance to check
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
    boolean sameNearest =
        tolerance == 0
            ? claimedDistance == least && claimedId.equals(id)
            : claimedDistance == least || Math.abs(claimedDistance - least) <= tolerance;
    require(
        problems,
        sameNearest,
        "the nearest is '%s' at %s, not '%s' at %s"
            .formatted(id, least, claimedId, claimedDistance));
    require(
        problems,
        lower > radius
            && claimedLower > radius + tolerance
            && (claimedLower <= lower || claimedLower - lower <= tolerance),
        "the lower bound is %s, the certificate says %s, the radius is %s"
            .formatted(lower, claimedLower, radius));
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
    return Hashes.sha256(bytes.array());
  }
}
