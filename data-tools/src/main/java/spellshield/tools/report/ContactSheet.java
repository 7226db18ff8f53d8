package spellshield.tools.report;

import java.util.ArrayList;
import java.util.List;
import spellshield.tools.image.RgbImage;

/// Pictures in a grid on white, with headings, captions and coloured frames.
///
/// Pictures are enlarged by a whole factor, each pixel a square, and stand centred in cells of one
/// size. Texts that do not fit end with an ellipsis; a caption may have several lines. Made by one
/// thread; the drawn picture is the same on every machine.
public final class ContactSheet {
  /// The frame of a picture inside a forbidden ball.
  public static final int INSIDE = 0xd03a2f;

  /// The frame of a picture outside all of them.
  public static final int OUTSIDE = 0x2f9e5b;

  /// A frame that says nothing.
  public static final int NEUTRAL = 0xd4d7dc;

  private static final int MARGIN = 28;
  private static final int GAP = 18; // between cells
  private static final int FRAME = 3;
  private static final int MAT = 3; // white between frame and picture
  private static final int LINE = 10; // rows of dots a line of text takes, descenders included
  private static final int INK = 0x22262c;
  private static final int PALE = 0x68707c;
  private static final int WIDEST_HEADING = 190;
  private static final int NARROWEST_CELL = 96; // room for a caption under small pictures

  private final String title;
  private final int scale;
  private final List<String> columns = new ArrayList<>();
  private final List<Row> rows = new ArrayList<>();

  /// A picture with a caption (may be empty) and the colour of its frame, `0xRRGGBB`.
  public record Cell(RgbImage image, String caption, int frame) {

    /// A picture with a frame that says nothing.
    public static Cell of(RgbImage image, String caption) {
      return new Cell(image, caption, NEUTRAL);
    }
  }

  private record Row(String heading, List<Cell> cells) {}

  /// Begins an empty sheet.
  ///
  /// @param title above all; may be empty
  /// @param scale dots per pixel of a picture, 1 to 16
  public ContactSheet(String title, int scale) {
    if (scale < 1 || scale > 16) {
      throw new IllegalArgumentException("scale must be 1 to 16, but was " + scale);
    }
    this.title = title;
    this.scale = scale;
  }

  /// Sets the headings of the columns, from the left.
  public ContactSheet columns(String... headings) {
    columns.clear();
    columns.addAll(List.of(headings));
    return this;
  }

  /// Adds a row; its heading may be empty.
  public ContactSheet row(String heading, List<Cell> cells) {
    rows.add(new Row(heading, List.copyOf(cells)));
    return this;
  }

  /// Adds rows of `perRow` cells without headings.
  public ContactSheet grid(int perRow, List<Cell> cells) {
    for (int from = 0; from < cells.size(); from += perRow) {
      row("", cells.subList(from, Math.min(cells.size(), from + perRow)));
    }
    return this;
  }

  /// Returns the sheet as a picture.
  ///
  /// @throws IllegalStateException if it has no cells
  public RgbImage draw() {
    Layout layout = Layout.of(this);
    Canvas canvas = new Canvas(layout.width, layout.height);
    int top = MARGIN;
    if (!title.isEmpty()) {
      canvas.text(Glyphs.fit(title, (layout.width - 2 * MARGIN) / 3), MARGIN, top, 3, INK);
      top += layout.titleHeight;
    }
    for (int i = 0; i < columns.size(); i++) {
      int width = layout.cellWidth;
      centred(canvas, columns.get(i), layout.left(i), top, width, INK);
    }
    top += layout.columnsHeight;
    for (Row row : rows) {
      String heading = Glyphs.fit(row.heading(), WIDEST_HEADING / 2);
      canvas.text(heading, MARGIN, top + layout.pictureHeight / 2 - Glyphs.HEIGHT, 2, INK);
      for (int i = 0; i < row.cells().size(); i++) {
        cell(canvas, row.cells().get(i), layout.left(i), top, layout);
      }
      top += layout.rowHeight;
    }
    return canvas.image();
  }

  private void cell(Canvas canvas, Cell cell, int left, int top, Layout layout) {
    int border = FRAME + MAT;
    int width = cell.image().width() * scale;
    int height = cell.image().height() * scale;
    int x = left + (layout.cellWidth - width) / 2;
    int y = top + (layout.pictureHeight - height) / 2;
    canvas.fill(x - border, y - border, width + 2 * border, height + 2 * border, cell.frame());
    canvas.fill(x - MAT, y - MAT, width + 2 * MAT, height + 2 * MAT, 0xffffff);
    canvas.picture(cell.image(), x, y, scale);
    String[] lines = cell.caption().split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      int line = top + layout.pictureHeight + 8 + i * LINE * layout.textScale;
      centred(canvas, lines[i], left, line, layout.cellWidth, i == 0 ? INK : PALE);
    }
  }

  private void centred(Canvas canvas, String text, int left, int top, int width, int rgb) {
    int textScale = 2;
    String fitted = Glyphs.fit(text, width / textScale);
    int indent = (width - Glyphs.width(fitted) * textScale) / 2;
    canvas.text(fitted, left + indent, top, textScale, rgb);
  }

  /// Where everything goes, in dots.
  private static final class Layout {
    private final int textScale = 2;
    private final int headingWidth;
    private final int cellWidth;
    private final int pictureHeight; // frame included
    private final int titleHeight;
    private final int columnsHeight;
    private final int rowHeight;
    private final int width;
    private final int height;

    private Layout(ContactSheet sheet) {
      int widest = 0;
      int highest = 0;
      int lines = 0;
      int count = sheet.columns.size();
      int heading = 0;
      for (Row row : sheet.rows) {
        count = Math.max(count, row.cells().size());
        heading = Math.max(heading, Glyphs.width(Glyphs.fit(row.heading(), WIDEST_HEADING / 2)));
        for (Cell cell : row.cells()) {
          widest = Math.max(widest, cell.image().width());
          highest = Math.max(highest, cell.image().height());
          int own = cell.caption().isEmpty() ? 0 : cell.caption().split("\n", -1).length;
          lines = Math.max(lines, own);
        }
      }
      if (widest == 0) {
        throw new IllegalStateException("a contact sheet needs at least one picture");
      }
      int border = 2 * (FRAME + MAT);
      headingWidth = heading == 0 ? 0 : heading * textScale + GAP;
      cellWidth = Math.max(NARROWEST_CELL, widest * sheet.scale + border);
      pictureHeight = highest * sheet.scale + border;
      titleHeight = sheet.title.isEmpty() ? 0 : 3 * Glyphs.HEIGHT + 22;
      columnsHeight = sheet.columns.isEmpty() ? 0 : textScale * LINE + 6;
      int captionHeight = lines == 0 ? 0 : 8 + lines * LINE * textScale;
      rowHeight = pictureHeight + captionHeight + GAP;
      width = 2 * MARGIN + headingWidth + count * (cellWidth + GAP) - GAP;
      height = 2 * MARGIN + titleHeight + columnsHeight + sheet.rows.size() * rowHeight - GAP;
    }

    static Layout of(ContactSheet sheet) {
      return new Layout(sheet);
    }

    int left(int column) {
      return MARGIN + headingWidth + column * (cellWidth + GAP);
    }
  }
}
