// What withholds a version from readers. Rules: HTTP contract, 3.6 and 6.3.

package enum QuarantineItem {}
package typealias QuarantineID = Identifier<QuarantineItem>
