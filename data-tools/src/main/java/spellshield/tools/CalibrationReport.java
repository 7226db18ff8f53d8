package spellshield.tools;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.DoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import spellshield.index.Coverage;
import spellshield.index.Proportion;
import spellshield.index.ProtectedSet;
import spellshield.tools.calibrate.Calibration;
import spellshield.tools.calibrate.Calibration.Copies;
import spellshield.tools.calibrate.Calibration.Verdict;
import spellshield.tools.calibrate.Distances;
import spellshield.tools.report.SharePlot;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A calibration for people, machines and the set itself.
///
/// @param leastCaught what was asked of a radius that covers an edit
record CalibrationReport(
    ProtectedSet set, Calibration calibration, Verdict verdict, double leastCaught) {
  private static final double[] QUANTILES = {0.05, 0.5, 0.95, 0.99};

  /// The radii of the table: 0.05 to 0.80 in steps of 0.05.
  private static final double[] ROWS =
      IntStream.rangeClosed(1, 16).mapToDouble(i -> i / 20.0).toArray();

  private static final double[] FINE = Calibration.shares();

  private static final int BLOCKED = 0xd03a2f;
  private static final int CAUGHT = 0x2f6fb0;
  private static final int[] COLOURS = {
    0x9aa0a8, 0xc9a227, 0x6aa84f, 0xa05fb5, 0x4fb0ae, 0xd98841, 0x8a6d52, 0xd177a8, 0x7a8fd1,
    0x5f8a5f, 0xb0b04a, 0x50505a
  };

  String text() {
    StringBuilder text = new StringBuilder();
    line(
        text,
        "%,d protected pictures, typical distance %.4f; copies of %,d of them, %,d held-out pictures"
            .formatted(
                set.count(),
                calibration.typical(),
                calibration.edits().getFirst().own().count(),
                calibration.heldOut().count()));
    line(
        text,
        "the set's mean is %.3f of typical away from the nearest latent: no radius may reach it%n"
            .formatted(calibration.meanClearance() / calibration.typical()));
    quantiles(text);
    curve(text);
    switch (verdict) {
      case Verdict.NoRadius(String reason) -> text.append("no radius separates: ").append(reason);
      case Verdict.Separates separates -> separates(text, separates);
    }
    return text.toString();
  }

  private void quantiles(StringBuilder text) {
    line(text, "distance to the own latent, share of typical      5 %    50 %    95 %    99 %");
    for (Copies copies : calibration.edits()) {
      quantiles(text, copies.edit().name(), copies.own());
    }
    line(text, "distance to the nearest protected latent");
    quantiles(text, "held out", calibration.heldOut());
    text.append(System.lineSeparator());
  }

  private void quantiles(StringBuilder text, String name, Distances distances) {
    String shares =
        Arrays.stream(QUANTILES)
            .mapToObj(p -> "%8.3f".formatted(distances.quantile(p) / calibration.typical()))
            .collect(Collectors.joining());
    line(text, "  %-43s%s".formatted(name, shares));
  }

  private void curve(StringBuilder text) {
    line(text, "radius   copies caught, all but mirror   innocent pictures blocked (95 % bounds)");
    for (double share : ROWS) {
      boolean holdsMean = !(share * calibration.typical() < calibration.meanClearance());
      line(
          text,
          "  %.2f   %-31s %s%s"
              .formatted(
                  share,
                  calibration.caughtButMirror(share),
                  calibration.blocked(share),
                  holdsMean ? "   holds the mean" : ""));
    }
    text.append(System.lineSeparator());
  }

  private void separates(StringBuilder text, Verdict.Separates separates) {
    double share = separates.share();
    line(
        text,
        "recommended: r = %.2f of typical (%.4f); it blocks %s of the innocent pictures"
            .formatted(share, share * calibration.typical(), calibration.blocked(share)));
    line(
        text,
        "at r = %.2f your set is safe from: %s"
            .formatted(
                share,
                separates.covered().stream()
                    .map(copies -> copies.edit().name())
                    .collect(Collectors.joining(", "))));
    text.append(
        separates.uncovered().isEmpty()
            ? "  none of the edits is left"
            : separates.uncovered().stream()
                .map(copies -> notFrom(copies, share))
                .collect(Collectors.joining(System.lineSeparator())));
  }

  private String notFrom(Copies copies, double share) {
    String caught =
        "  not from %s: %s caught"
            .formatted(copies.edit().name(), calibration.caught(copies, share));
    OptionalDouble needed = calibration.needed(copies, leastCaught);
    return needed.isEmpty()
        ? caught + "; too few copies to show more"
        : caught
            + "; to show %.0f %% takes r = %.2f, which blocks %.0f %%"
                .formatted(
                    100 * leastCaught,
                    needed.getAsDouble(),
                    100 * calibration.blocked(needed.getAsDouble()).share());
  }

  private static void line(StringBuilder text, String line) {
    text.append(line).append(System.lineSeparator());
  }

  /// Returns what the set is to remember; nothing if no radius separates.
  @Nullable Coverage coverage() {
    return switch (verdict) {
      case Verdict.NoRadius none -> null;
      case Verdict.Separates(double share, List<Copies> covered, List<Copies> uncovered) -> {
        List<Coverage.Edit> edits = new ArrayList<>();
        for (Copies copies : calibration.edits()) {
          Proportion caught = calibration.caught(copies, share);
          edits.add(
              new Coverage.Edit(
                  copies.edit().name(), caught.trials(), caught.hits(), covered.contains(copies)));
        }
        Proportion blocked = calibration.blocked(share);
        yield new Coverage(
            set.epoch(),
            share * calibration.typical(),
            share,
            edits,
            blocked.trials(),
            blocked.hits());
      }
    };
  }

  ObjectNode json() {
    ObjectNode result = Json.object();
    result.put("set", set.id()).put("epoch", set.epoch());
    result.put("typicalDistance", calibration.typical());
    result.put("meanClearance", calibration.meanClearance());
    ArrayNode edits = result.putArray("edits");
    for (Copies copies : calibration.edits()) {
      ObjectNode entry = edits.addObject().put("edit", copies.edit().name());
      entry.put("copies", copies.own().count());
      quantiles(entry.putObject("own"), copies.own());
      quantiles(entry.putObject("nearest"), copies.nearest());
    }
    ObjectNode held = result.putObject("heldOut").put("pictures", calibration.heldOut().count());
    quantiles(held.putObject("nearest"), calibration.heldOut());
    ArrayNode curve = result.putArray("curve");
    for (double share : FINE) {
      ObjectNode entry = curve.addObject().put("share", share);
      entry.put("radius", share * calibration.typical());
      proportion(entry.putObject("caughtButMirror"), calibration.caughtButMirror(share));
      proportion(entry.putObject("blocked"), calibration.blocked(share));
      ObjectNode caught = entry.putObject("caught");
      for (Copies copies : calibration.edits()) {
        proportion(caught.putObject(copies.edit().name()), calibration.caught(copies, share));
      }
    }
    switch (verdict) {
      case Verdict.NoRadius(String reason) -> result.put("noRadius", reason);
      case Verdict.Separates(double share, List<Copies> covered, List<Copies> uncovered) -> {
        ObjectNode entry = result.putObject("recommended").put("share", share);
        entry.put("radius", share * calibration.typical());
        names(entry.putArray("covered"), covered);
        names(entry.putArray("uncovered"), uncovered);
      }
    }
    return result;
  }

  private static void names(ArrayNode list, List<Copies> some) {
    some.forEach(copies -> list.add(copies.edit().name()));
  }

  private void quantiles(ObjectNode node, Distances distances) {
    for (double p : QUANTILES) {
      node.put("q" + Math.round(100 * p), distances.quantile(p) / calibration.typical());
    }
  }

  private static void proportion(ObjectNode node, Proportion proportion) {
    node.put("hits", proportion.hits()).put("trials", proportion.trials());
    node.put("lower", proportion.lower()).put("upper", proportion.upper());
  }

  SharePlot plot() {
    SharePlot plot =
        new SharePlot(
            "Copies caught and innocent pictures blocked", "radius, share of the typical distance");
    for (int i = 0; i < calibration.edits().size(); i++) {
      Copies copies = calibration.edits().get(i);
      double[] caught =
          Arrays.stream(FINE).map(share -> calibration.caught(copies, share).share()).toArray();
      int rgb = COLOURS[i % COLOURS.length];
      plot.line(SharePlot.Line.of(copies.edit().name(), rgb, 2, FINE, caught));
    }
    plot.line(bounded("copies, all but mirror", CAUGHT, calibration::caughtButMirror));
    plot.line(bounded("innocent, blocked", BLOCKED, calibration::blocked));
    if (verdict instanceof Verdict.Separates separates) {
      plot.mark("r = %.2f".formatted(separates.share()), separates.share());
    }
    return plot.mark("the mean", calibration.meanClearance() / calibration.typical());
  }

  private static SharePlot.Line bounded(String name, int rgb, DoubleFunction<Proportion> at) {
    List<Proportion> all = Arrays.stream(FINE).mapToObj(at).toList();
    return new SharePlot.Line(
        name,
        rgb,
        4,
        FINE,
        all.stream().mapToDouble(Proportion::share).toArray(),
        all.stream().mapToDouble(Proportion::lower).toArray(),
        all.stream().mapToDouble(Proportion::upper).toArray());
  }
}
