package import Primitives

#if DEBUG
  /// A bug of the past, where builds know any.
  package struct MutationName: Sendable {
    package let mutation: Mutation
    package init?(_ name: String) {
      guard let mutation = Mutation(rawValue: name) else { return nil }
      self.mutation = mutation
    }
    /// Those that this build knows.
    package static var all: [String] { Mutation.allCases.map(\.rawValue) }
  }
#else
  /// A bug of the past: this build knows none.
  package struct MutationName: Sendable {
    package init?(_ name: String) { return nil }
    package static var all: [String] { [] }
  }
#endif
