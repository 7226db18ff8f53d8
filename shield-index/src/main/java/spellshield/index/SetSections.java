package spellshield.index;

import java.util.ArrayList;
import java.util.List;
import spellshield.index.search.Recall;
import spellshield.index.search.SetStatistics;
import spellshield.index.store.DamagedSetException;
import spellshield.index.store.Manifest;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// What a protected set adds to the manifest of its latents, and reads back from it.
final class SetSections {
  static final String SKETCH = "sketch";
  static final String ADDED = "sketch-more";
  static final String HNSW = "hnsw";
  static final String STATISTICS = "statistics";

  /// The radii, as shares of the typical distance, at which a graph's recall is measured.
  private static final double[] RECALL_SHARES = {0.1, 0.15, 0.2, 0.3, 0.4};

  private SetSections() {}

  static double[] recallRadii(SetStatistics statistics) {
    if (!(statistics.typicalDistance() > 0)) {
      return new double[0];
    }
    double[] radii = RECALL_SHARES.clone();
    for (int i = 0; i < radii.length; i++) {
      radii[i] *= statistics.typicalDistance();
    }
    return radii;
  }

  /// @param epoch at which the set was built
  static JsonNode print(SetStatistics statistics, long epoch) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("epoch", epoch);
    node.put("typicalDistance", statistics.typicalDistance());
    // An empty set is infinitely far from its mean, which JSON cannot say.
    node.put("meanClearance", Math.min(statistics.meanClearance(), Double.MAX_VALUE));
    return node;
  }

  /// @param epoch at which the graph was built
  static JsonNode print(List<Recall> recalls, long epoch) {
    ArrayNode list = JsonNodeFactory.instance.arrayNode();
    for (Recall recall : recalls) {
      ObjectNode node = list.addObject();
      node.put("radius", recall.radius());
      node.put("queries", recall.queries());
      node.put("pairs", recall.pairs());
      node.put("found", recall.found());
    }
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("epoch", epoch);
    node.set("recall", list);
    return node;
  }

  /// Returns the epoch at which the set was built or compacted.
  static long builtEpoch(Manifest manifest) {
    JsonNode epoch = section(manifest, STATISTICS).path("epoch");
    return epoch.isNumber()
        ? epoch.longValue()
        : manifest.generation(); // as builds before wrote it
  }

  static SetStatistics statistics(Manifest manifest) {
    JsonNode node = section(manifest, STATISTICS);
    return new SetStatistics(number(node, "typicalDistance"), number(node, "meanClearance"));
  }

  static List<Recall> recalls(Manifest manifest) {
    List<Recall> recalls = new ArrayList<>();
    for (JsonNode node : section(manifest, HNSW).path("recall")) {
      recalls.add(
          new Recall(
              number(node, "radius"),
              (int) number(node, "queries"),
              (long) number(node, "pairs"),
              (long) number(node, "found")));
    }
    return recalls;
  }

  private static JsonNode section(Manifest manifest, String name) {
    return manifest
        .section(name)
        .orElseThrow(() -> new DamagedSetException("manifest", "has no section '" + name + "'"));
  }

  private static double number(JsonNode node, String name) {
    JsonNode value = node.path(name);
    if (!value.isNumber()) {
      throw new DamagedSetException("manifest", "has no number '" + name + "'");
    }
    return value.doubleValue();
  }
}
