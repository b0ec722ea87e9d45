export {
  ATTESTATION_FORMAT,
  type Attestation,
  attestationProblem,
  type Control,
  type SignedAttestation,
  signAttestation,
} from './attestation.ts';
export type { Leaf, LogProof } from './content/log-proof.ts';
export { type Manifest, PACKAGE_FORMAT } from './content/manifest.ts';
export {
  BREAK_GLASS_PREFIX,
  type Row,
  SECTIONS,
  type Section,
  TABLES,
  type TableName,
} from './content/tables.ts';
export {
  type Basis,
  createPackageBuilder,
  type FinishedPackage,
  type PackageBuilder,
  type PackageFacts,
  type RowSink,
} from './package-builder.ts';
export { type SummaryFacts, summaryPdf } from './summary-pdf.ts';
export { type PackageVerdict, type VerifyPackageOptions, verifyPackage } from './verify/verify-package.ts';
