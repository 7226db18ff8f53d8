package spellshield.index.store;

import java.security.MessageDigest;
import spellshield.index.store.HashedRows.HalfHash;

/// The ids that have come so far, in 25 to 31 bytes each; when two count as one is said at
/// [HashedRows].
public final class SeenIds {
  private final HashedRows ids = new HashedRows();
  private final MessageDigest digest = Hashes.sha256();

  /// Notes an id, and returns whether it is new.
  public boolean add(String id) {
    HalfHash key = HalfHash.ofText(id, digest);
    boolean isNew = ids.get(key) < 0;
    ids.put(key, 0);
    return isNew;
  }
}
