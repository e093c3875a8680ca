import Testing

@testable import Launching

@Suite struct CommandOptionsTests {
  @Test func numbersAreInTheirRange() throws {
    let options = CommandOptions(values: ["low": "0", "high": "65535", "beyond": "65536", "none": "x", "empty": ""])
    #expect(try options.number("low", in: UInt16(0)...65535) == 0)
    #expect(try options.number("high", in: UInt16(0)...65535) == 65535)
    #expect(try options.number("high", in: 0...65535) == 65535)
    for name in ["beyond", "none", "empty"] {
      #expect(throws: CommandError.self) { try options.number(name, in: UInt16(0)...65535) }
    }
    #expect(throws: CommandError("--low must be a number from 1 to 9; it is \"0\"")) {
      try options.number("low", in: 1...9)
    }
  }
}
