export { CanonicalJsonError, canonicalJson, type JsonValue } from './canonical-json.ts';
export {
  EXPORT_FORMAT,
  type ExportEvent,
  type ExportHeader,
  type ExportTrailer,
  exportEventLine,
  exportHeaderLine,
  exportTrailerLine,
} from './export-format.ts';
export { ExportLineError, exportLines } from './export-lines.ts';
export {
  type Appended,
  appendLeaves,
  EMPTY_FRONTIER,
  type Frontier,
  type NodeId,
  rootOf,
  rootOfLeaves,
  type StoredNode,
  type TreeAccumulator,
  treeAccumulator,
} from './frontier.ts';
export { emptyRoot, HASH_LENGTH, leafHash, nodeHash } from './hashes.ts';
export {
  consistencyProof,
  consistencyProofNodes,
  inclusionProof,
  inclusionProofNodes,
  type ReadNode,
} from './proofs.ts';
export { type Receipt, type SignedReceipt, signReceipt, verifyReceipt } from './receipt.ts';
export { keyIdOf, type PublicKeys, type Signature } from './signing.ts';
export {
  parseSignedTreeHead,
  type SignedTreeHead,
  signTreeHead,
  type TreeHead,
  verifyTreeHead,
} from './tree-head.ts';
export {
  type ExportProblem,
  type ExportVerdict,
  type UnfitHead,
  type VerifyExportOptions,
  verifyExport,
} from './verify-export.ts';
export {
  type ConsistencyClaim,
  type InclusionClaim,
  verifyConsistency,
  verifyInclusion,
} from './verify-proofs.ts';
