/// Answers a request; what it throws becomes an answer too: an `HTTPError` its own, anything else 500.
package typealias HTTPHandler = @Sendable (HTTPRequest) async throws -> HTTPResponse

/// Which handler a method and a path lead to.
///
/// ```swift
/// var router = Router()
/// router.get("/notifications/{userID}") { request in
///   .text("for \(request.parameters["userID"] ?? "")")
/// }
/// ```
package struct Router: Sendable {
  enum Match {
    case found(HTTPHandler, parameters: [String: String])
    /// There is such a path, for other methods.
    case wrongMethod(allowed: [String])
    case notFound
    /// The path itself cannot be read.
    case unreadable
  }

  private enum Segment {
    case text(String)
    case parameter(String)
  }

  private struct Route {
    let method: String
    let segments: [Segment]
    let handler: HTTPHandler
  }

  private var routes: [Route] = []

  package init() {}

  package mutating func get(_ path: String, _ handler: @escaping HTTPHandler) { on("GET", path, handler) }
  package mutating func post(_ path: String, _ handler: @escaping HTTPHandler) { on("POST", path, handler) }

  /// - Parameter path: what stands in braces matches one segment of any text that is not empty. The first route that matches is
  ///   taken.
  package mutating func on(_ method: String, _ path: String, _ handler: @escaping HTTPHandler) {
    precondition(path.hasPrefix("/"), "the path \(path) of a route does not begin with /")
    let segments = path.split(separator: "/").map { segment -> Segment in
      segment.hasPrefix("{") && segment.hasSuffix("}")
        ? .parameter(String(segment.dropFirst().dropLast())) : .text(String(segment))
    }
    routes.append(Route(method: method, segments: segments, handler: handler))
  }

  /// HEAD is answered as GET is; the server leaves the body out.
  func match(_ method: String, _ path: String) -> Match {
    var segments: [String] = []
    for segment in path.split(separator: "/") {
      guard let text = FormFields.decode(segment.utf8, plusIsBlank: false) else { return .unreadable }
      segments.append(text)
    }
    let wanted = method == "HEAD" ? "GET" : method
    var allowed: Set<String> = []
    for route in routes {
      guard let parameters = Self.parameters(of: route, in: segments) else { continue }
      if route.method == wanted { return .found(route.handler, parameters: parameters) }
      allowed.insert(route.method)
    }
    if allowed.contains("GET") { allowed.insert("HEAD") }
    return allowed.isEmpty ? .notFound : .wrongMethod(allowed: allowed.sorted())
  }

  private static func parameters(of route: Route, in segments: [String]) -> [String: String]? {
    guard route.segments.count == segments.count else { return nil }
    var parameters: [String: String] = [:]
    for (pattern, segment) in zip(route.segments, segments) {
      switch pattern {
      case .text(let text): guard text == segment else { return nil }
      case .parameter(let name): parameters[name] = segment
      }
    }
    return parameters
  }

  /// The answer to a request, whatever becomes of it. `onError` is told what a handler threw that is no `HTTPError`.
  func answer(_ request: HTTPRequest, onError: @Sendable (any Error) -> Void) async -> HTTPResponse {
    switch match(request.method, request.path) {
    case .unreadable: return HTTPError(400, "the path cannot be read").response
    case .notFound: return HTTPError(404, "there is nothing at \(request.path)").response
    case .wrongMethod(let allowed):
      var response = HTTPError(405, "\(request.path) takes \(allowed.joined(separator: ", "))").response
      response.headers.append(HTTPResponse.Header("Allow", allowed.joined(separator: ", ")))
      return response
    case .found(let handler, let parameters):
      do {
        return try await handler(
          HTTPRequest(
            method: request.method, path: request.path, parameters: parameters, query: request.query,
            headers: request.headers, body: request.body))
      } catch let error as HTTPError {
        return error.response
      } catch {
        onError(error)
        // What went wrong inside is for the log, not for whoever asks.
        return HTTPError(500, "the server failed").response
      }
    }
  }
}
