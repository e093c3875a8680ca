internal import HTTPServing
internal import Launching
internal import NotificationVocabulary
internal import OttlaSQL

/// What can be asked over HTTP.
enum AccountRoutes {
  /// - Parameters:
  ///   - open: writes an account down.
  ///   - opened: called when there are new messages to be sent.
  static func router(
    open: @escaping @Sendable (NewAccount) async throws -> Void, opened: @escaping @Sendable () -> Void
  ) -> Router {
    var router = Router()
    router.post("/account/new") { request in
      let account: NewAccount = try request.json()
      if let mistake = account.mistake { throw HTTPError(400, mistake) }
      do {
        try await open(account)
      } catch let error as SQLError where error.isRetriable {
        complain("an account for \(account.email) was asked for: \(error)")
        throw HTTPError(503, sentence(error))
      }
      opened()
      return try .json(account)
    }
    return router
  }

  private static func sentence(_ error: SQLError) -> String {
    error.kind == .commitUnknown
      ? "the database went away, and whether the account was made is not known; look before you try again"
      : "the database is away, and the account was not made; try again later"
  }
}
