/// Which records are worked on one after the other.
///
/// ```swift
/// var orders = ProcessingSettings()
/// orders.order = .key           // those of a customer in their order, customers side by side
/// orders.concurrencyMax = 16    // without it, one at a time all the same
///
/// var ledger = ProcessingSettings()
/// ledger.order = .partition     // each entry builds on the one before
/// ledger.concurrencyMax = 4     // so many partitions at a time
///
/// var mails = ProcessingSettings()
/// mails.order = .none           // a mail does not wait for the one before
/// mails.concurrencyMax = 50
/// ```
public enum ProcessingOrder: Hashable, Sendable {
  /// Those of one partition: the order of the topic holds.
  case partition
  /// Those of one key in one partition; records without a key wait for none.
  case key
  /// None: each as soon as there is room.
  case none
}
