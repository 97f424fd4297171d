// libcurl's results as faults.

import CCurl

extension Transfer {
    /// Nil for success.
    func failure(for result: CURLcode) -> (any Error)? {
        if result == CURLE_OK {
            return self.headReader.isOver ? nil : HTTPClientFault.connectionLost("\(self.name): the head is incomplete")
        }
        if let failure = self.offerFailure { return failure }
        let text = unsafe self.errorText.map { unsafe String(cString: $0) } ?? ""
        let detail = unsafe "\(self.name): \(text.isEmpty ? String(cString: curl_easy_strerror(result)) : text)"
        if let address = self.refusedAddress, result == CURLE_COULDNT_CONNECT {
            return HTTPClientFault.addressRefused("\(self.name): \(address)")
        }
        return switch result {
        case CURLE_OUT_OF_MEMORY where !self.headReader.isOver:  // what it says of a header line that is too long
            HTTPClientFault.malformedAnswer(detail)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: HTTPClientFault.unknownHost(detail)
        case CURLE_COULDNT_CONNECT: HTTPClientFault.cannotConnect(detail)
        case CURLE_OPERATION_TIMEDOUT: HTTPClientFault.timedOut(detail)
        case CURLE_URL_MALFORMAT: HTTPClientFault.invalidRequest(detail)
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_CRL_BADFILE:
            HTTPClientFault.insecure(detail)
        case CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_PARTIAL_FILE, CURLE_SEND_FAIL_REWIND:
            HTTPClientFault.connectionLost(detail)
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_BAD_CONTENT_ENCODING, CURLE_WRITE_ERROR,
            CURLE_HTTP_RETURNED_ERROR:
            HTTPClientFault.malformedAnswer(detail)
        default: HTTPClientFault.other("\(detail) (\(result.rawValue))")
        }
    }
}
