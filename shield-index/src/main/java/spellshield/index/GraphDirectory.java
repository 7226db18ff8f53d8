package spellshield.index;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.lucene.store.ByteBuffersDataInput;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.ByteBuffersIndexInput;
import org.apache.lucene.store.FilterDirectory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.IndexOutput;
import org.apache.lucene.store.OutputStreamIndexOutput;
import spellshield.index.store.SetWriter;

/// Where Lucene writes a graph: each of its files becomes one of the generation that is written,
/// and is mapped to be read, so that no part of it fills the heap.
///
/// What Lucene deletes or renames again, some kilobytes, stays in memory until it has the name that
/// it keeps. One thread may write, any number read; whoever reads is done before the close.
final class GraphDirectory extends FilterDirectory {
  private static final String PENDING = "pending_"; // Lucene's prefix of what it renames
  private static final int BUFFER_BYTES = 1 << 13;
  private static final long BLOCK_BYTES = 1L << 30; // a buffer has fewer than 2³¹

  private final SetWriter writer;
  private final SortedSet<String> files = new TreeSet<>();
  private final Arena arena = Arena.ofShared();

  GraphDirectory(SetWriter writer) {
    super(new ByteBuffersDirectory());
    this.writer = writer;
  }

  private static String base(String name) {
    return SetSections.HNSW + "/" + name;
  }

  @Override
  public IndexOutput createOutput(String name, IOContext context) throws IOException {
    if (name.startsWith(PENDING)) {
      return in.createOutput(name, context);
    }
    IndexOutput out =
        new OutputStreamIndexOutput(
            name, name, writer.file(SetSections.HNSW, base(name)), BUFFER_BYTES);
    files.add(name);
    return out;
  }

  @Override
  public IndexInput openInput(String name, IOContext context) throws IOException {
    if (!files.contains(name)) {
      return in.openInput(name, context);
    }
    MemorySegment file = writer.map(base(name), arena);
    List<ByteBuffer> blocks = new ArrayList<>();
    for (long at = 0; at == 0 || at < file.byteSize(); at += BLOCK_BYTES) {
      long size = Math.min(BLOCK_BYTES, file.byteSize() - at);
      blocks.add(file.asSlice(at, size).asByteBuffer());
    }
    return new ByteBuffersIndexInput(new ByteBuffersDataInput(blocks), name);
  }

  @Override
  public void rename(String source, String target) throws IOException {
    try (IndexInput from = in.openInput(source, IOContext.READONCE);
        IndexOutput to = createOutput(target, IOContext.DEFAULT)) {
      to.copyBytes(from, from.length());
    }
    in.deleteFile(source);
  }

  /// Deletes a file of those in memory. One of the generation stays, to be cleared away with it:
  /// Lucene takes such files back only when it gives up, and then so does the build.
  @Override
  public void deleteFile(String name) throws IOException {
    if (!files.contains(name)) {
      in.deleteFile(name);
    }
  }

  @Override
  public String[] listAll() throws IOException {
    return Stream.concat(files.stream(), Stream.of(in.listAll())).sorted().toArray(String[]::new);
  }

  @Override
  public long fileLength(String name) throws IOException {
    try (IndexInput file = openInput(name, IOContext.READONCE)) {
      return file.length();
    }
  }

  /// Unmaps the files.
  @Override
  public void close() throws IOException {
    in.close();
    arena.close();
  }
}
