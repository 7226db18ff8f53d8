package spellshield.sampler;

import java.util.Arrays;
import java.util.List;

/// What a denoiser is told beside the noisy latents.
public sealed interface Condition {

  /// Nothing.
  Condition NONE = new None();

  /// Returns the condition of some rows of the batch, in their order.
  Condition rows(int... rows);

  /// Returns whether two rows are asked for the same.
  boolean same(int row, int other);

  /// No condition.
  record None() implements Condition {
    @Override
    public Condition rows(int... rows) {
      return this;
    }

    @Override
    public boolean same(int row, int other) {
      return true;
    }
  }

  /// One class per row of the batch, as the model counts its classes.
  record Labels(int... labels) implements Condition {
    @Override
    public Condition rows(int... rows) {
      return new Labels(Arrays.stream(rows).map(row -> labels[row]).toArray());
    }

    @Override
    public boolean same(int row, int other) {
      return labels[row] == labels[other];
    }
  }

  /// One encoded text per row of the batch.
  record Texts(List<Embedding> embeddings) implements Condition {
    public Texts {
      embeddings = List.copyOf(embeddings);
    }

    @Override
    public Condition rows(int... rows) {
      return new Texts(Arrays.stream(rows).mapToObj(embeddings::get).toList());
    }

    @Override
    public boolean same(int row, int other) {
      return embeddings.get(row).text().equals(embeddings.get(other).text());
    }
  }

  /// What to sample and what to be guided away from, row by row; read by classifier-free guidance.
  record Guided(Condition positive, Condition negative) implements Condition {
    @Override
    public Condition rows(int... rows) {
      return new Guided(positive.rows(rows), negative.rows(rows));
    }

    @Override
    public boolean same(int row, int other) {
      return positive.same(row, other);
    }
  }

  /// A text as a network is told it.
  ///
  /// @param text what was encoded, all prompts of it
  /// @param tokens `[L, C]` flat, one row for each of L tokens
  /// @param length L
  /// @param pooled one vector for the whole text; empty where the network takes none
  /// @param sizes the sizes that SDXL is told, six numbers; empty elsewhere
  record Embedding(String text, float[] tokens, int length, float[] pooled, float[] sizes) {}
}
