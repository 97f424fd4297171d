// What the fuzz targets share. A target is a function `check(_:)`, called with each input of libFuzzer; it is built by
// scripts/fuzz-parsers together with the sources of the parser, not by the package.

import Glibc

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    check(input)
    return 0
}

/// Ends the process with a message, unless the condition is met; libFuzzer then keeps the input.
func expect(_ condition: Bool, _ message: @autoclosure () -> String) {
    if condition { return }
    print("fuzz: \(message())")
    fflush(nil)
    abort()
}
