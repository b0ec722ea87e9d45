/** For tests only: rules and facts by chance, and the slow second opinion on what they decide. */
export { anyFacts, entryList, ruleList } from './test-arbitraries.ts';
export { oracle } from './test-oracle.ts';
