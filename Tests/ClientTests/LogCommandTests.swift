import Glibc
import Primitives
import Testing

/// `ottla log` on files that are made here byte by byte, and then broken.
@Suite struct LogCommandTests {
  /// A record batch v2 of one record without headers for each of `values`.
  private func batch(baseOffset: Int64, values: [String]) -> [UInt8] {
    var records: [UInt8] = []
    for (delta, value) in values.enumerated() {
      let body = [0, 0, UInt8(delta * 2), 1, UInt8(value.utf8.count * 2)] + Array(value.utf8) + [0]
      records += [UInt8(body.count * 2)] + body
    }
    var bytes = [UInt8](repeating: 0, count: 61) + records
    bytes.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      base.storeBigEndian(baseOffset, at: 0)
      base.storeBigEndian(Int32(buffer.count - 12), at: 8)
      base.storeBigEndian(Int8(2), at: 16)
      base.storeBigEndian(Int32(values.count - 1), at: 23)
      base.storeBigEndian(Int64(1000), at: 27)
      base.storeBigEndian(Int64(1000), at: 35)
      base.storeBigEndian(Int64(-1), at: 43)
      base.storeBigEndian(Int16(-1), at: 51)
      base.storeBigEndian(Int32(-1), at: 53)
      base.storeBigEndian(Int32(values.count), at: 57)
      base.storeBigEndian(CRC32C.checksum(UnsafeRawBufferPointer(rebasing: buffer[21...])), at: 17)
    }
    return bytes
  }

  private func bigEndian(_ numbers: [Int32]) -> [UInt8] {
    numbers.flatMap { number in withUnsafeBytes(of: number.bigEndian) { Array($0) } }
  }

  /// Writes a partition of two segments into a folder of its own and hands it, and the first segment's bytes, to `body`.
  private func withPartition(_ body: (_ folder: String, _ first: [UInt8]) throws -> Void) throws {
    var template = Array("/tmp/ottla-log-XXXXXX".utf8CString)
    let made = try #require(mkdtemp(&template))
    let root = String(cString: made)
    let folder = "\(root)/orders-0"
    defer {
      for name in ["00000000000000000000.log", "00000000000000000000.index", "00000000000000000005.log"] {
        unlink("\(folder)/\(name)")
      }
      rmdir(folder)
      rmdir(root)
    }
    mkdir(folder, 0o755)
    let head = batch(baseOffset: 0, values: ["a", "b", "c"])
    let first = head + batch(baseOffset: 3, values: ["d", "e"])
    try write(first, to: "\(folder)/00000000000000000000.log")
    try write(bigEndian([4, Int32(head.count)]), to: "\(folder)/00000000000000000000.index")
    try write(batch(baseOffset: 5, values: ["f"]), to: "\(folder)/00000000000000000005.log")
    try body(root, first)
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    let file = try #require(fopen(path, "w"))
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }

  @Test func wholeFilesAreWell() throws {
    try withPartition { root, _ in
      let outcome = try Program.run("log", "verify", root)
      #expect(outcome.exitCode == 0, "\(outcome.output)\(outcome.errors)")
      #expect(outcome.output.contains("\n1 partitions, 2 segments, 3 batches, 6 records"))
      let dump = try Program.run("log", "dump", "\(root)/orders-0", "--records", "--offset", "4", "-n1")
      #expect(dump.output.contains("3..4 at position"))
      #expect(dump.output.contains("4 1970-01-01T00:00:01.000Z key null value \"e\""))
      #expect(!dump.output.contains("\"a\"") && !dump.output.contains("\"f\""))
    }
  }

  @Test func everyKindOfDamageIsFound() throws {
    try withPartition { root, first in
      let log = "\(root)/orders-0/00000000000000000000.log"
      let index = "\(root)/orders-0/00000000000000000000.index"
      var flipped = first
      flipped[70] ^= 1
      let damages: [(bytes: [UInt8], sentence: String)] = [
        (flipped, ": offset 0..2 (position 0): the checksum is wrong"),
        (Array(first.dropLast(3)), ": offset 3..4 (position 85): a torn batch"),
        (first + [1, 2, 3], "3 bytes, too few for a batch"),
        (first + batch(baseOffset: 4, values: ["again"]), "offset 5 or more must follow here"),
        (first + batch(baseOffset: 9, values: ["later"]), "the next segment begins at 5 already"),
      ]
      for (bytes, sentence) in damages {
        try write(bytes, to: log)
        let outcome = try Program.run("log", "verify", root)
        #expect(outcome.exitCode == 1)
        #expect(outcome.output.contains(sentence), "\(outcome.output)")
      }
      try write(first, to: log)
      for (entry, sentence) in [
        ([1, 5], "where no sound batch begins"), ([1, 76], "says offset"), ([4, 9000], "behind the last"),
      ] {
        let position = entry[1] == 76 ? Int32(batch(baseOffset: 0, values: ["a", "b", "c"]).count) : Int32(entry[1])
        try write(bigEndian([Int32(entry[0]), position]), to: index)
        let outcome = try Program.run("log", "verify", root, "--strict")
        #expect(outcome.exitCode == 1)
        #expect(outcome.output.contains(sentence), "\(outcome.output)")
        // An index is made anew from the log: nothing is lost.
        #expect(try Program.run("log", "verify", root).exitCode == 0)
      }
    }
  }

  @Test func wrongUseIsToldFromDamage() throws {
    #expect(try Program.run("log", "verify", "/nowhere/at/all").exitCode == 2)
    #expect(try Program.run("log", "verify").exitCode == 2)
    #expect(try Program.run("log", "dump", "/etc/hostname").exitCode == 2)
  }

  @Test func damageIsDumpedAsSuchWithWhatFollows() throws {
    try withPartition { root, first in
      var flipped = first
      flipped[70] ^= 1
      try write(flipped, to: "\(root)/orders-0/00000000000000000000.log")
      let outcome = try Program.run("log", "dump", "\(root)/orders-0", "--records")
      #expect(outcome.exitCode == 1)
      #expect(outcome.output.contains("DAMAGE at position 0") && outcome.output.contains("value \"e\""))
      #expect(!outcome.output.contains("value \"a\""))
      let json = try Program.run("log", "dump", "\(root)/orders-0", "--json", "--max", "1")
      #expect(json.output.contains("\"damage\":\"the checksum is wrong\""))
    }
  }

  /// Whatever the bytes, the program ends with an answer and not with a trap.
  @Test func randomBytesOnlyGetAnswers() throws {
    try withPartition { root, first in
      var generator = SystemRandomNumberGenerator()
      for _ in 0..<40 {
        var bytes = first
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
          bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        try write(bytes, to: "\(root)/orders-0/00000000000000000000.log")
        for command in [["log", "verify", root], ["log", "dump", root, "--records"]] {
          let outcome = try Program.run(command)
          #expect(outcome.exitCode == 0 || outcome.exitCode == 1, "\(bytes)")
        }
      }
    }
  }
}
