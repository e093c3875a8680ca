extension String {
  /// Whether it is 1 to `bytesMax` letters, digits, '-', '_' and '.': such names become parts of ids and Message-IDs, and must neither run
  /// together there nor lose anything.
  package func isPlainName(bytesMax: Int) -> Bool {
    (1...bytesMax).contains(utf8.count)
      && utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }

  /// What users and bookings are called by: 1 to 64 such characters.
  package var isBookingName: Bool { isPlainName(bytesMax: 64) }
}
