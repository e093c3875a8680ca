internal import Cluster
internal import Configuration
internal import KafkaProtocol
internal import Observability
internal import Primitives

/// Envelope: commands for the controller, from whichever broker they came to (KIP-590). A broker that is not the controller
/// passes them on; its client is answered when the broker itself has applied what came of them.
extension Shard {
  private static let envelopeTimeoutMs: Int64 = 30_000

  /// Passes a command on to the broker that is the controller.
  func passOn(_ command: ControllerCommand, _ host: ControllerHost, finish: @escaping ControllerHost.Finish) {
    guard host.controllerID != .none, host.controllerID != brokerID else {
      return finish(.failure(KafkaError(.notController, "there is no controller at the moment")))
    }
    guard let (request, version) = command.request(of: brokerID, epoch: membership?.epoch ?? -1) else {
      return finish(.failure(KafkaError(.notController, "this broker is not the controller")))
    }
    let envelope = EnvelopeRequest(
      requestData: Self.enveloped(request, version), requestPrincipal: nil, clientHostAddress: [])
    ask(.envelope(envelope), version: 0, of: host.controllerID, timeoutMs: Self.envelopeTimeoutMs) {
      [unowned self] outcome in
      switch outcome {
      case .success(.envelope(let response)):
        let result = Result { () throws(KafkaError) in try Self.unpacked(response, request.apiKey, version, command) }
        // Refused or not: what the controller had decided by then is to be seen by whoever asks this broker next.
        whenReached(Offset(max(-1, response.metadataOffset)), host) { finish(result) }
      case .success: finish(.failure(KafkaError(.unknownServerError, "the controller's answer was no envelope")))
      case .failure(let error): finish(.failure(error))
      }
    }
  }

  private static func enveloped(_ request: Request, _ version: Int16) -> [UInt8] {
    let buffer = OutputBuffer()
    var writer = Writer(buffer)
    let key = request.apiKey
    let header = RequestHeader(
      requestApiKey: key.rawValue, requestApiVersion: version, correlationId: 0, clientId: nil)
    header.encode(into: &writer, version: key.requestHeaderVersion(for: version))
    request.encode(into: &writer, version: version)
    return Array(buffer.bytes)
  }

  private static func unpacked(
    _ envelope: EnvelopeResponse, _ key: APIKey, _ version: Int16, _ command: ControllerCommand
  ) throws(KafkaError) -> ControllerReply {
    let data = envelope.responseData ?? []
    guard envelope.errorCode == .none else {
      throw KafkaError(envelope.errorCode, data.isEmpty ? nil : String(decoding: data, as: UTF8.self))
    }
    let response = data.withUnsafeBytes { bytes -> Response? in
      var reader = Reader(bytes)
      _ = ResponseHeader.decode(from: &reader, version: key.responseHeaderVersion(for: version))
      let response = Response.decode(key, version: version, from: &reader)
      return reader.failure == nil ? response : nil
    }
    guard let response else { throw KafkaError(.unknownServerError, "the controller's answer cannot be read") }
    return try ControllerReply(response, to: command)
  }

  /// Another broker passes a command on. Only brokers of the cluster may: see `ClientIdentity.claimedBroker`.
  func envelope(_ request: EnvelopeRequest, _ context: RequestContext) {
    guard let sender = broker(of: context) else {
      return answer(
        request, context, KafkaError(.clusterAuthorizationFailed, "only brokers of this cluster send envelopes"))
    }
    guard let (command, key, version) = command(in: request) else {
      environment.logger.warning("broker \(sender.value) sent an envelope that holds no command for the controller")
      return answer(request, context, KafkaError(.invalidRequest, "the envelope holds no command for the controller"))
    }
    guard request.requestData.count <= Self.envelopeBytesMax else {
      return answer(request, context, KafkaError(.invalidRequest, "the envelope is too large"))
    }
    self.command(command, isPassedOn: true) { [unowned self] result in
      switch result {
      case .success(let reply):
        guard let response = reply.response else { preconditionFailure("\(reply) cannot be sent to another broker") }
        let buffer = OutputBuffer()
        var writer = Writer(buffer)
        ResponseHeader(correlationId: 0).encode(into: &writer, version: key.responseHeaderVersion(for: version))
        response.encode(into: &writer, version: version)
        let envelope = EnvelopeResponse(
          responseData: Array(buffer.bytes), errorCode: .none, metadataOffset: image.offset.value)
        self.reply(context.replyTo, .envelope(envelope))
      case .failure(let error): answer(request, context, error)
      }
    }
  }

  private static let envelopeBytesMax = 16 << 20

  private func answer(_ request: EnvelopeRequest, _ context: RequestContext, _ error: KafkaError) {
    let message = Array((error.message ?? "").utf8.prefix(1000))
    reply(
      context.replyTo,
      .envelope(
        EnvelopeResponse(responseData: message, errorCode: error.code, metadataOffset: image.offset.value)))
  }

  private func command(in envelope: EnvelopeRequest) -> (ControllerCommand, APIKey, Int16)? {
    envelope.requestData.withUnsafeBytes { bytes -> (ControllerCommand, APIKey, Int16)? in
      guard bytes.count >= 8, let base = bytes.baseAddress,
        let key = APIKey(rawValue: base.bigEndian(Int16.self, at: 0))
      else { return nil }
      let version = base.bigEndian(Int16.self, at: 2)
      guard key.requestVersions.contains(version) else { return nil }
      var reader = Reader(bytes)
      _ = reader.requestHeader(key, version: version)
      let request = Request.decode(key, version: version, from: &reader)
      guard reader.failure == nil, let command = ControllerCommand(request, config) else { return nil }
      return (command, key, version)
    }
  }

  /// The broker that sends on this connection: it names itself and the id of its run, which only brokers know, and the
  /// cluster has that run. nil for everybody else.
  func broker(of context: RequestContext) -> BrokerID? {
    guard let claim = context.client.claimedBroker, let known = image.brokers[claim.id],
      known.incarnation == claim.incarnation
    else { return nil }
    return claim.id
  }
}
