/// Which records are worked on one after the other.
///
/// ```swift
/// settings.order = .key   // a customer's orders in their order, customers side by side
/// ```
public enum ProcessingOrder: Hashable, Sendable {
  /// Those of one partition: the order of the topic holds.
  case partition
  /// Those of one key in one partition; records without a key wait for none.
  case key
  /// None: each as soon as there is room.
  case none
}
