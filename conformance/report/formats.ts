// The formats of a report, by the name that `--report` uses.

import type { ReportDocument } from "./document.ts"

/** Renders a document. */
export const FORMATS: Readonly<Record<"json", (document: ReportDocument) => string>> = {
  json: (document) => `${JSON.stringify(document, null, 1)}\n`,
}
