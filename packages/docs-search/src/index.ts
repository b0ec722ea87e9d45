export { createDocsIndex, type DocsHit, type DocsIndex } from './docs-index.ts';
export { documentationFolder, readSections } from './read-sections.ts';
export { type DocsSection, sectionsOf } from './sections-of.ts';
export { termsOf } from './terms-of.ts';
