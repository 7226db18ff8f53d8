/// The protected set on disk: latents, what they belong to, and the manifest that binds them.
///
/// A set is a folder. Everything in it is written once, under a name that carries the number of its
/// generation, and never changed. A manifest names every file of one generation with its length and
/// SHA-256; the newest manifest is the set. A build writes all files anew, a change names those of
/// the generations before it again and adds its own: more shards, another item table, the marks of
/// removed items ([spellshield.index.store.LivingItems]). Both write beside the old generation and
/// become visible by one atomic rename:
///
/// ```text
/// files written, each fsynced → manifest.pending written, fsynced → folders fsynced
///   → rename to manifest.NNNNNN → folder fsynced → the commit is acknowledged
///   → files that the new manifest does not name swept
/// ```
///
/// Promises, each with a test:
/// - killed at any moment, the folder opens as the old set or as the new one, whole; a commit that
///   was acknowledged stays (`CrashTest`, `KilledWriterTest`);
/// - a changed bit, a cut or missing file is a [spellshield.index.store.DamagedSetException], never
///   a wrong value and never a silent return to an older set, which would protect fewer images
///   (`DamageTest`);
/// - a full disk or a failing call leaves the old set as it was (`FailingStorageTest`);
/// - mapped memory is only ever copied to the heap, checked there, and then used: a file that is
///   cut under a running reader costs an exception, not the JVM (`ShrunkFileTest`).
///
/// Start reading at [spellshield.index.store.SetWriter] and [spellshield.index.store.LatentStore];
/// everything that touches the disk goes through [spellshield.index.store.Storage]. The bytes are
/// described in `docs/FORMAT.md`.
@NullMarked
package spellshield.index.store;

import org.jspecify.annotations.NullMarked;
