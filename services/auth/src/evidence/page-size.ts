/** Rows in one answer: some 200 KiB. */
export const PAGE_SIZE = 500;
