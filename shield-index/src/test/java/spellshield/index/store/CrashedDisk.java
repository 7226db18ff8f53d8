package spellshield.index.store;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import spellshield.index.store.MemoryStorage.Change;

/// What a power cut may leave of a folder: the changes are played to some point, and then
/// everything that was not made durable is damaged at random.
///
/// Bytes that were not fsynced are deleted with their file, zeroed, halved, changed in one bit,
/// emptied, or intact, as in Lucene's MockDirectoryWrapper. Names that were created, renamed or
/// deleted since the last fsync of their folder are undone or not, each on its own: no order among
/// them is promised.
final class CrashedDisk {
  private final Map<Integer, byte[]> bytes = new HashMap<>();
  private final Map<Integer, Integer> syncedLength = new HashMap<>();
  private final Map<String, Integer> names = new TreeMap<>(); // as a running program sees them
  private final Map<String, Integer> durableNames = new TreeMap<>();
  private final List<NameChange> pending = new ArrayList<>();

  /// A name that now stands for another file, or for none; a sub-folder is the file −1.
  private record NameChange(String folder, Map<String, @Nullable Integer> entries) {}

  /// Plays one more change.
  void play(Change change) {
    switch (change) {
      case Change.Create(int inode, String name) -> {
        String folder = folder(name);
        if (!folder.isEmpty() && !names.containsKey(folder + "/")) {
          rename(folder + "/", -1);
        }
        bytes.put(inode, new byte[0]);
        syncedLength.put(inode, 0);
        rename(name, inode);
      }
      case Change.Write(int inode, byte[] more) -> bytes.merge(inode, more, CrashedDisk::concat);
      case Change.Cut(int inode, int length) -> {
        bytes.put(inode, Arrays.copyOf(get(bytes, inode), length));
        syncedLength.merge(inode, length, Math::min);
      }
      case Change.Sync(int inode) -> syncedLength.put(inode, get(bytes, inode).length);
      case Change.Rename(String from, String to) -> {
        Map<String, @Nullable Integer> both = new TreeMap<>();
        both.put(from, null);
        both.put(to, get(names, from));
        change(new NameChange(folder(to), both));
      }
      case Change.Delete(String name) -> {
        rename(name, null);
        String folder = folder(name) + "/";
        if (names.keySet().stream().noneMatch(n -> n.startsWith(folder) && !n.equals(folder))) {
          rename(folder, null);
        }
      }
      case Change.SyncFolder(String folder) -> {
        pending.stream().filter(p -> p.folder.equals(folder)).forEach(p -> apply(p, durableNames));
        pending.removeIf(p -> p.folder.equals(folder));
      }
      case Change.Acknowledged acknowledged -> {}
    }
  }

  /// Draws one state that the disk may be in after a power cut now.
  SortedMap<String, byte[]> crash(SplittableRandom random) {
    Map<String, Integer> survivors = new TreeMap<>(durableNames);
    double undone = random.nextInt(3) / 2.0; // none, each with a coin, all
    for (NameChange change : pending) {
      if (random.nextDouble() >= undone) {
        apply(change, survivors);
      }
    }
    int kind = random.nextInt(7); // one damage for all files, or one each
    SortedMap<String, byte[]> files = new TreeMap<>();
    survivors.forEach((name, inode) -> {
      boolean inFolder = name.contains("/");
      if (name.endsWith("/") || (inFolder && !survivors.containsKey(folder(name) + "/"))) {
        return;
      }
      int synced = get(syncedLength, inode);
      byte[] all = get(bytes, inode);
      byte @Nullable [] left =
          synced == all.length && synced > 0
              ? all
              : damaged(all, synced, kind == 6 ? random.nextInt(6) : kind, random);
      if (left != null) {
        files.put(name, left);
      }
    });
    return files;
  }

  private static byte @Nullable [] damaged(
      byte[] all, int synced, int kind, SplittableRandom random) {
    byte[] copy = all.clone();
    return switch (kind) {
      case 0 -> copy;
      case 1 -> synced == 0 ? null : Arrays.copyOf(all, synced);
      case 2 -> {
        Arrays.fill(copy, synced, copy.length, (byte) 0);
        yield copy;
      }
      case 3 -> Arrays.copyOf(all, synced + (all.length - synced) / 2);
      case 4 -> {
        if (copy.length > synced) {
          copy[random.nextInt(synced, copy.length)] ^= (byte) (1 << random.nextInt(8));
        }
        yield copy;
      }
      default -> Arrays.copyOf(all, synced);
    };
  }

  private void rename(String name, @Nullable Integer inode) {
    Map<String, @Nullable Integer> one = new TreeMap<>();
    one.put(name, inode);
    change(new NameChange(name.endsWith("/") ? "" : folder(name), one));
  }

  private void change(NameChange change) {
    apply(change, names);
    pending.add(change);
  }

  private static void apply(NameChange change, Map<String, Integer> to) {
    change.entries.forEach((name, inode) -> {
      if (inode == null) {
        to.remove(name);
      } else {
        to.put(name, inode);
      }
    });
  }

  private static String folder(String name) {
    return name.contains("/") ? name.substring(0, name.indexOf('/')) : "";
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static <K, V> V get(Map<K, V> map, K key) {
    V value = map.get(key);
    if (value == null) {
      throw new AssertionError("unknown: " + key);
    }
    return value;
  }
}
