package spellshield.index;

import java.io.IOException;
import java.util.OptionalLong;
import spellshield.index.store.Item;

/// Where images and their latents go: a build of a protected set, or a change of one.
public interface ItemSink {

  /// Appends an item; a variant follows the image that it is made of. What is refused leaves
  /// everything as it was.
  ///
  /// @param latent D finite values, not kept
  /// @throws IllegalArgumentException if the latent is none of this space, or the id is in the set
  void add(Item item, float[] latent) throws IOException;

  /// Returns the number of an item that was stored from a file with this hash, if there is one.
  ///
  /// @param sha256 64 hex digits, or empty, which no item has
  OptionalLong holding(String sha256);

  /// Adds an image of a file that an item was stored from already: it shares the latent and its
  /// variants.
  ///
  /// @param number of that item
  /// @throws IllegalArgumentException if the id is in the set, or the item is a variant or none
  void join(Item item, long number) throws IOException;

  /// Returns whether an image has this id.
  boolean contains(String id);
}
