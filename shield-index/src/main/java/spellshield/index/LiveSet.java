package spellshield.index;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import spellshield.index.store.DamagedSetException;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Storage;
import spellshield.index.store.Verification;

/// A protected set that follows its folder: whoever asks gets the newest epoch.
///
/// [#lease] looks at the names in the folder, which takes some 60 µs, and moves on first where
/// something was added, removed, compacted or built anew ([ProtectedSet#refresh] says at what
/// cost). A lease keeps its epoch open until it is closed; an epoch that is neither the newest nor
/// leased is closed at once, and its files can go.
///
/// ```java
/// try (LiveSet.Lease lease = live.lease()) {
///   lease.set().exact().search(queries, count, radius);
/// }
/// ```
///
/// A change that is committed before a call of [#lease] begins is seen by it. Where the newest
/// epoch cannot be read, leasing fails: an older one may lack what was added since. Safe for any
/// number of threads.
public final class LiveSet implements AutoCloseable {
  private final boolean follows;
  private final LatentSpace space;
  private Shared newest;
  private boolean closed;

  /// An open epoch and how many hold it: its leases, and this set while it is the newest.
  private static final class Shared {
    final ProtectedSet set;
    int holders = 1;

    Shared(ProtectedSet set) {
      this.set = set;
    }
  }

  private LiveSet(ProtectedSet set, boolean follows) {
    this.newest = new Shared(set);
    this.space = set.space();
    this.follows = follows;
  }

  /// Opens the set in a folder, as [ProtectedSet#open(Path)] does.
  ///
  /// @throws java.nio.file.NoSuchFileException if there is no set in the folder
  /// @throws DamagedSetException if a file is not what the manifest says
  public static LiveSet open(Path folder) throws IOException {
    return open(DiskStorage.at(folder), Verification.FULL);
  }

  /// Opens a set; with [Verification#ON_USE] latents are only checked when they are read.
  public static LiveSet open(Storage storage, Verification verification) throws IOException {
    return new LiveSet(ProtectedSet.open(storage, verification), true);
  }

  /// Returns one epoch as a set that stays where it is. Leases of it neither look nor close: who
  /// opened the epoch closes it.
  public static LiveSet still(ProtectedSet set) {
    return new LiveSet(set, false);
  }

  /// Returns the newest epoch, held open until the lease is closed.
  ///
  /// @throws DamagedSetException if the newest epoch is not what its manifest says
  /// @throws FingerprintMismatchException if the set was built anew in another latent space
  /// @throws IllegalStateException if this set is closed
  public synchronized Lease lease() throws IOException {
    if (follows) {
      if (closed) {
        throw new IllegalStateException("the live set of '%s' is closed".formatted(space));
      }
      moveOn();
    }
    newest.holders++;
    return new Lease(newest);
  }

  private void moveOn() throws IOException {
    Optional<ProtectedSet> newer = newest.set.refresh();
    if (newer.isEmpty()) {
      return;
    }
    try {
      FingerprintMismatchException.requireSame(newer.get().space(), space);
    } catch (FingerprintMismatchException e) {
      newer.get().close();
      throw e;
    }
    Shared older = newest;
    newest = new Shared(newer.get());
    release(older);
  }

  private void release(Shared shared) throws IOException {
    shared.holders--;
    if (shared.holders == 0) {
      shared.set.close();
    }
  }

  /// Returns the latent space, which all epochs share.
  public LatentSpace space() {
    return space;
  }

  /// Refuses latents of another space.
  ///
  /// @throws FingerprintMismatchException naming both spaces
  public void requireSpace(LatentSpace other) {
    FingerprintMismatchException.requireSame(space, other);
  }

  /// Ends the leasing; the newest epoch is closed with its last lease. A set that stays where it is
  /// is left open.
  @Override
  public synchronized void close() throws IOException {
    if (follows && !closed) {
      closed = true;
      release(newest);
    }
  }

  /// One epoch, held open.
  public final class Lease implements AutoCloseable {
    private final Shared shared;
    private boolean returned;

    private Lease(Shared shared) {
      this.shared = shared;
    }

    /// Returns the epoch; it must not be used once the lease is closed.
    ///
    /// @throws IllegalStateException if it is
    public ProtectedSet set() {
      synchronized (LiveSet.this) {
        if (returned) {
          throw new IllegalStateException(
              "the lease of epoch %d was closed; take another".formatted(shared.set.epoch()));
        }
        return shared.set;
      }
    }

    @Override
    public void close() throws IOException {
      synchronized (LiveSet.this) {
        if (!returned) {
          returned = true;
          release(shared);
        }
      }
    }
  }
}
