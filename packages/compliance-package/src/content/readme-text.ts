import type { Manifest } from './manifest.ts';

/** The explanation inside the package for readers who do not know the format. */
export function readmeText({ parameters, asOf, reportId }: Manifest): string {
  return `Claviger compliance package ${reportId}
Range ${parameters.from} to ${parameters.to} (whole days, UTC), made as of ${asOf}.

summary.pdf        for reading
tables/*.json      each table, one row on each line
tables/*.csv       the same rows for a spreadsheet; text that it would take for a formula begins with '${parameters.bom ? '\n                   (UTF-8 with a byte order mark)' : ''}
proofs/log.json    the stretch of the audit log, its signed tree heads (RFC 9162), and consistency proofs
proofs/leaves.json the leaf hash of every event of the stretch
proofs/keys.json   public keys; trust them only when you know them from another source
manifest.json      parameters, and size and SHA-256 of every other file
manifest.jws       signature over manifest.json (Ed25519, detached JWS)

Verify it without any server:

  claviger compliance verify FILE --keys KEYS

KEYS is what you kept from "claviger audit keys --save KEYS", or a PEM file. Without it the package's own key is trusted,
which shows that nothing was changed after signing, but not who signed it.
An event is hashed as SHA-256(0x00 || canonical JSON (RFC 8785) of the member "event" of its row).
`;
}
