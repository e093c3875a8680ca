/// Generates APIKey.swift: the keys, their names and their versions.
struct APIKeyFile {
  let apis: [API]
  init(_ apis: [API]) { self.apis = apis }

  var text: String {
    var swift = SwiftText()
    swift.line("/// The APIs that Ottla knows, by the number that names them in a request's header.")
    swift.block("package enum APIKey: Int16, CaseIterable, Sendable, Hashable") { swift in
      for api in apis { swift.statement("case \(api.caseName) = \(api.key)") }
      swift.line()
      swift.line("/// The name in the protocol's documentation, such as `ListOffsets`.")
      writeSwitch("package var name: String", to: &swift) { "\"\($0.name)\"" }
      swift.line()
      swift.line("/// The versions of the request and of its response.")
      writeSwitch("package var requestVersions: ClosedRange<Int16>", to: &swift) { "\($0.request.name).versions" }
      swift.line()
      swift.line("/// The first version with compact fields and tagged fields; `Int16.max` where there is none.")
      writeSwitch("package var flexibleFrom: Int16", to: &swift) { "\($0.request.name).flexibleFrom" }
    }
    return SwiftText.header(from: "Schemas/Messages") + swift.text
  }

  private func writeSwitch(_ head: String, to swift: inout SwiftText, value: (API) -> String) {
    swift.block(head) { swift in
      swift.line("switch self {")
      for api in apis { swift.statement("case .\(api.caseName): \(value(api))") }
      swift.line("}")
    }
  }
}

/// Generates Request.swift: any request, by its API.
struct RequestFile {
  let apis: [API]
  init(_ apis: [API]) { self.apis = apis }

  var text: String {
    var swift = SwiftText()
    swift.line("/// Any request.")
    swift.block("package enum Request: Sendable, Equatable") { swift in
      for api in apis { swift.statement("case \(api.caseName)(\(api.request.name))") }
      swift.line()
      writeAPIKey(apis, to: &swift)
      swift.line()
      swift.line("/// Reads the body of a request; `reader.failure` tells whether it was one.")
      writeDecode("Request", apis.map { ($0.caseName, $0.request.name) }, to: &swift)
      swift.line()
      swift.line("/// Writes the body of the request.")
      writeEncode(apis, to: &swift)
    }
    return SwiftText.header(from: "Schemas/Messages") + swift.text
  }
}

/// Generates Response.swift: any response, by its API.
struct ResponseFile {
  let apis: [API]
  init(_ apis: [API]) { self.apis = apis }

  var text: String {
    var swift = SwiftText()
    swift.line("/// Any response.")
    swift.block("package enum Response: Sendable, Equatable") { swift in
      for api in apis { swift.statement("case \(api.caseName)(\(api.response.name))") }
      swift.line()
      writeAPIKey(apis, to: &swift)
      swift.line()
      swift.line("/// Reads the body of a response; `reader.failure` tells whether it was one.")
      writeDecode("Response", apis.map { ($0.caseName, $0.response.name) }, to: &swift)
      swift.line()
      swift.line("/// Writes the body of the response.")
      writeEncode(apis, to: &swift)
    }
    return SwiftText.header(from: "Schemas/Messages") + swift.text
  }
}

private func writeAPIKey(_ apis: [API], to swift: inout SwiftText) {
  swift.line("/// The API it belongs to.")
  swift.block("package var apiKey: APIKey") { swift in
    swift.line("switch self {")
    for api in apis { swift.statement("case .\(api.caseName): .\(api.caseName)") }
    swift.line("}")
  }
}

private func writeDecode(_ type: String, _ cases: [(name: String, message: String)], to swift: inout SwiftText) {
  let head = "package static func decode(_ key: APIKey, version: Int16, from reader: inout Reader) -> \(type)"
  swift.block(head) { swift in
    swift.line("switch key {")
    for (name, message) in cases {
      swift.statement("case .\(name): .\(name)(\(message).decode(from: &reader, version: version))")
    }
    swift.line("}")
  }
}

private func writeEncode(_ apis: [API], to swift: inout SwiftText) {
  swift.block("package func encode(into writer: inout Writer, version: Int16)") { swift in
    swift.line("switch self {")
    for api in apis {
      swift.statement("case .\(api.caseName)(let message): message.encode(into: &writer, version: version)")
    }
    swift.line("}")
  }
}
