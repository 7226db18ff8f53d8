package spellshield.index;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import spellshield.index.search.NeighborSearch;
import spellshield.index.store.DamagedSetException;
import spellshield.index.store.Manifest;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// What a radius was measured to cover: which edited copies of protected items lie inside a ball of
/// it, and how many items that were never protected do too.
///
/// A measurement on a sample, not a guarantee: it was made at one epoch, and what is added later
/// can only block more. Changes and compaction keep it; a set that is built anew has none until it
/// is measured again.
///
/// @param epoch of the set that was measured
/// @param radius r, the one that was recommended
/// @param share r as a share of the typical distance
/// @param edits what was measured of each kind of edit
/// @param heldOut number of items that are not protected
/// @param blocked how many of these are inside a ball
public record Coverage(
    long epoch, double radius, double share, List<Edit> edits, long heldOut, long blocked) {
  static final String SECTION = "coverage";

  /// What became of the copies that one edit made.
  ///
  /// @param name of the edit, such as `jpeg:75`
  /// @param copies how many were made
  /// @param caught how many of them are inside a ball
  /// @param covered whether that is enough to say that the radius covers the edit
  public record Edit(String name, long copies, long caught, boolean covered) {
    public Edit {
      requirePart("edit " + name, caught, copies);
      if (name.isEmpty() || name.length() > 100 || name.chars().anyMatch(Character::isISOControl)) {
        throw new IllegalArgumentException(
            "the name of an edit is one line of 1 to 100 characters, but was '%.120s'"
                .formatted(name.replaceAll("\\p{Cntrl}", " ")));
      }
    }

    private Proportion caughtOf() {
      return new Proportion(caught, copies);
    }
  }

  public Coverage {
    if (epoch < 1) {
      throw new IllegalArgumentException("epochs are counted from 1, but it was " + epoch);
    }
    NeighborSearch.requireRadius(radius);
    NeighborSearch.requireRadius(share);
    requirePart("items that are not protected", blocked, heldOut);
    edits = List.copyOf(edits);
  }

  private static void requirePart(String what, long part, long whole) {
    if (!(0 <= part && part <= whole && whole > 0)) {
      throw new IllegalArgumentException("%s: %d of %d cannot be".formatted(what, part, whole));
    }
  }

  /// Reads what the manifest says; nothing where the set was not measured.
  ///
  /// @throws DamagedSetException if it says what cannot be
  public static Optional<Coverage> of(Manifest manifest) {
    return manifest.section(SECTION).map(Coverage::parse);
  }

  private static Coverage parse(JsonNode node) {
    try {
      List<Edit> edits = new ArrayList<>();
      for (JsonNode edit : node.path("edits")) {
        edits.add(
            new Edit(
                edit.path("edit").stringValue(),
                edit.path("copies").longValue(),
                edit.path("caught").longValue(),
                edit.path("covered").booleanValue()));
      }
      return new Coverage(
          node.path("epoch").longValue(),
          node.path("radius").doubleValue(),
          node.path("share").doubleValue(),
          edits,
          node.path("heldOut").longValue(),
          node.path("blocked").longValue());
    } catch (JacksonException | IllegalArgumentException e) { // misshapen, or it cannot be
      throw new DamagedSetException(
          "manifest", "section '%s': %s".formatted(SECTION, e.getMessage()));
    }
  }

  JsonNode print() {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("epoch", epoch).put("radius", radius).put("share", share);
    ArrayNode list = node.putArray("edits");
    for (Edit edit : edits) {
      list.addObject()
          .put("edit", edit.name())
          .put("copies", edit.copies())
          .put("caught", edit.caught())
          .put("covered", edit.covered());
    }
    return node.put("heldOut", heldOut).put("blocked", blocked);
  }

  /// Returns the same of a set with another typical distance, of which the radius is another share.
  Coverage withTypical(double typicalDistance) {
    return new Coverage(epoch, radius, radius / typicalDistance, edits, heldOut, blocked);
  }

  private Proportion blockedOf() {
    return new Proportion(blocked, heldOut);
  }

  /// Returns one line about a radius that is wider than the recommended one, nothing about others.
  public Optional<String> warning(double asked) {
    return asked > radius
        ? Optional.of(
            String.format(
                Locale.ROOT,
                "the radius %.4f is wider than the recommended %.4f; expect more than %s of innocent"
                    + " pictures to be kept away from",
                asked,
                radius,
                blockedOf()))
        : Optional.empty();
  }

  private static String list(List<Edit> edits) {
    return edits.stream()
        .map(edit -> edit.name() + " " + edit.caughtOf())
        .collect(Collectors.joining(", "));
  }

  /// Returns all of it in one line for people, with 95 % bounds.
  @Override
  public String toString() {
    List<Edit> covered = edits.stream().filter(Edit::covered).toList();
    List<Edit> uncovered = edits.stream().filter(edit -> !edit.covered()).toList();
    return String.format(
        Locale.ROOT,
        "at %.2f of typical (%.4f) %s%s; %s of %,d other items blocked; measured at epoch %d",
        share,
        radius,
        covered.isEmpty() ? "nothing" : list(covered),
        uncovered.isEmpty() ? "" : "; not " + list(uncovered),
        blockedOf(),
        heldOut,
        epoch);
  }
}
