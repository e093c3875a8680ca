/// How bad what an inspection found is.
package enum InspectionSeverity: String, Sendable {
  /// Something that was written is lost or cannot be read.
  case damage
  /// Nothing is lost: the broker mends it, or can do without.
  case warning
  /// Worth knowing.
  case note
}

/// Something that an inspection of a broker's files found.
package struct InspectionFinding: Hashable, Sendable {
  package let severity: InspectionSeverity
  package let path: String
  /// The offsets that it concerns, where it concerns some.
  package let offsets: ClosedRange<Int64>?
  /// Where in the file, in bytes; nil where it concerns the whole file.
  package let position: Int64?
  /// What is wrong, and what follows from it.
  package let what: String

  package init(
    _ severity: InspectionSeverity, _ path: String, offsets: ClosedRange<Int64>? = nil, position: Int64? = nil,
    _ what: String
  ) {
    self.severity = severity
    self.path = path
    self.offsets = offsets
    self.position = position
    self.what = what
  }
}

extension InspectionFinding: CustomStringConvertible {
  /// `PATH: offset A..B (position P): what`, the severity in front unless it is damage.
  package var description: String {
    var text = severity == .damage ? "" : severity.rawValue + ": "
    text += path + ": "
    if let offsets {
      text +=
        offsets.count == 1 ? "offset \(offsets.lowerBound)" : "offset \(offsets.lowerBound)..\(offsets.upperBound)"
      text += position.map { " (position \($0)): " } ?? ": "
    } else if let position {
      text += "position \(position): "
    }
    return text + what
  }
}

/// How much an inspection has looked at, and what it found.
package struct InspectionCounts: Hashable, Sendable {
  package var partitions = 0
  package var segments = 0
  package var batches: Int64 = 0
  package var records: Int64 = 0
  /// Bytes of segments.
  package var bytes: Int64 = 0
  package var damages = 0
  package var warnings = 0
  package var notes = 0

  package init() {}

  mutating func count(_ finding: InspectionFinding) {
    switch finding.severity {
    case .damage: damages += 1
    case .warning: warnings += 1
    case .note: notes += 1
    }
  }
}
