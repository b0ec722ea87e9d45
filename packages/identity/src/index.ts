export {
  type CertificateAuthority,
  type IssuedCertificate,
  issueLeaf,
  openCertificateAuthority,
} from './certificate-authority.ts';
export {
  ensureEdgeCertificate,
  ensureServiceCertificate,
  issueEdgeCertificate,
  issueServiceCertificate,
  type LeafFiles,
  serviceUri,
} from './leaf-files.ts';
export { ensureEd25519KeyFiles, ensureSecretFile } from './secret-files.ts';
export { writeAtomically } from './write-atomically.ts';
