/// How much went through in how long.
struct Throughput {
  let records: Int64
  /// Of keys and values.
  let bytes: Int64
  let seconds: Double

  private var recordsPerSecond: Double { seconds > 0 ? Double(records) / seconds : 0 }
  /// Millions of bytes a second.
  private var megabytesPerSecond: Double { seconds > 0 ? Double(bytes) / 1e6 / seconds : 0 }

  func show(_ verb: String, asJSON: Bool) {
    if asJSON {
      ottla.show(
        .object([
          ("records", .integer(records)), ("bytes", .integer(bytes)), ("seconds", .number(seconds)),
          ("recordsPerSecond", .number(recordsPerSecond)), ("megabytesPerSecond", .number(megabytesPerSecond)),
        ]))
      return
    }
    let output = StandardOutput()
    output.line(
      "\(verb) \(records) records in \(decimal(seconds, places: 2)) s: "
        + "\(decimal(recordsPerSecond, places: 0)) records/s, \(decimal(megabytesPerSecond, places: 1)) MB/s")
    output.flush()
  }
}

/// A number with so many digits behind the point.
func decimal(_ value: Double, places: Int) -> String {
  guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
  var scale: Double = 1
  for _ in 0..<places { scale *= 10 }
  let scaled = Int64((value.magnitude * scale).rounded())
  let sign = value < 0 ? "-" : ""
  guard places > 0 else { return "\(sign)\(scaled)" }
  let fraction = "\(scaled % Int64(scale))"
  return "\(sign)\(scaled / Int64(scale))." + String(repeating: "0", count: places - fraction.count) + fraction
}
