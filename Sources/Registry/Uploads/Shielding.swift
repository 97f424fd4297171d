// Cleanup that must also happen if the request was cancelled.

/// Runs `body` to its end whatever becomes of the caller's task, and waits for it.
func shielded(_ body: @escaping @Sendable () async -> Void) async { await Task { await body() }.value }
