// Tidying up that must happen also where the request was given up.

/// Runs `body` to its end whatever becomes of the caller's task, and waits for it.
func shielded(_ body: @escaping @Sendable () async -> Void) async { await Task { await body() }.value }
