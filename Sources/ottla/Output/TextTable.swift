/// Rows in aligned columns, for people.
struct TextTable {
  private var rows: [[String]]

  init(_ heading: String...) { rows = [heading] }

  mutating func add(_ row: String...) { rows.append(row) }

  /// Shows the table on standard output; `empty` instead when it has no rows.
  func show(whenEmpty empty: String) {
    let output = StandardOutput()
    if rows.count == 1 {
      standardError(empty + "\n")
      return
    }
    let columnCount = rows.map(\.count).max() ?? 0
    let widths = (0..<columnCount).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
    for row in rows {
      var line = ""
      for (column, cell) in row.enumerated() {
        line += cell
        if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
      }
      output.line(line)
    }
    output.flush()
  }
}
