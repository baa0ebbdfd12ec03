// The formats of a report, by the name that `--report` uses.

import type { ReportDocument } from "./document.ts"
import { html } from "./html.ts"
import { junit } from "./junit.ts"
import { markdown } from "./markdown.ts"

/** Renders a document. */
export const FORMATS: Readonly<
  Record<"json" | "junit" | "html" | "md", (document: ReportDocument) => string>
> = {
  json: (document) => `${JSON.stringify(document, null, 1)}\n`,
  junit,
  html,
  md: markdown,
}
