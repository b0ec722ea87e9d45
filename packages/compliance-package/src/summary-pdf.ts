import type { Control } from './attestation.ts';
import { type TableName, tableNamed } from './content/tables.ts';

export interface SummaryFacts {
  readonly tenantId: string;
  readonly reportId: string;
  readonly from: string;
  readonly to: string;
  readonly asOf: string;
  readonly counts: ReadonlyMap<TableName, number>;
  readonly events: { readonly allowed: number; readonly denied: number; readonly failed: number } | undefined;
  readonly head: { readonly size: number; readonly rootHash: string; readonly timestamp: string } | undefined;
  readonly controls: readonly Control[];
}

/** Draws the summary page. The bytes depend only on the facts, not on the clock. */
export async function summaryPdf(facts: SummaryFacts): Promise<Buffer> {
  // Loaded for the first package: most processes of the service never draw one.
  const { default: PDFDocument } = await import('pdfkit');
  const moment = new Date(facts.asOf);
  const document = new PDFDocument({
    size: 'A4',
    margin: 56,
    info: {
      Title: `Compliance report ${facts.from} to ${facts.to}`,
      Author: 'Claviger',
      CreationDate: moment,
      ModDate: moment,
    },
  });
  const chunks: Buffer[] = [];
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  const done = new Promise<void>((resolve, reject) => {
    document.on('end', resolve);
    document.on('error', reject);
  });
  draw(document, facts);
  document.end();
  await done;
  return Buffer.concat(chunks);
}

function draw(document: PDFKit.PDFDocument, facts: SummaryFacts): void {
  const heading = (text: string) => document.moveDown().font('Helvetica-Bold').fontSize(13).text(plain(text));
  const line = (text: string) => document.font('Helvetica').fontSize(10).text(plain(text));
  document.font('Helvetica-Bold').fontSize(20).text('Compliance report');
  line(`${facts.from} to ${facts.to}, whole days, UTC`);
  line(`Tenant ${facts.tenantId}`);
  line(`Report ${facts.reportId}, made as of ${facts.asOf}`);

  heading('Contents');
  for (const [name, rows] of facts.counts) line(`${tableNamed(name).title}: ${rows}`);
  if (facts.events !== undefined) {
    const { allowed, denied, failed } = facts.events;
    line(`Of the events ${allowed} were allowed, ${denied} denied, ${failed} failed.`);
  }
  if (facts.controls.length > 0) {
    const failed = facts.controls.filter(({ status }) => status === 'failed').length;
    heading(`Controls: ${failed === 0 ? 'none failed' : `${failed} failed`}`);
    for (const control of facts.controls) {
      const { status, title, examined, violations, detail } = control;
      document
        .font('Helvetica-Bold')
        .fontSize(10)
        .text(plain(`${WORDS[status]}: ${title}`));
      line(`${examined} examined, ${violations} violations. ${detail}`);
    }
  }
  heading('Proof');
  if (facts.head === undefined) line('The audit log of this tenant was empty.');
  else {
    line(`Tree head of ${facts.head.size} events, signed ${facts.head.timestamp}`);
    line(`Root ${facts.head.rootHash}`);
  }
  line('Verify the whole package, this page included: claviger compliance verify FILE --keys KEYS');
}

const WORDS: Readonly<Record<Control['status'], string>> = {
  passed: 'Passed',
  failed: 'FAILED',
  not_assessed: 'Not assessed',
};

/** The built-in fonts have Latin letters only; the tables contain the exact texts. */
function plain(text: string): string {
  return text.replaceAll(/[^\x20-\x7e\u00a0-\u00ff]/gu, '?');
}
