// Counters of a hub in the text format of Prometheus.

import type { NetworkHubServer } from "./network-hub-server.ts"

type Statistics = NetworkHubServer["statistics"]

const METRICS: Readonly<Record<keyof Statistics, readonly [type: string, help: string]>> = {
  links: ["gauge", "Connections"],
  ready: ["gauge", "Connections of authenticated agents"],
  held: ["gauge", "Bytes held for incomplete frames"],
  frames: ["counter", "Frames received"],
  routed: ["counter", "Envelopes accepted"],
  delivered: ["counter", "Envelopes delivered, repetitions included"],
  batches: ["counter", "Batches of requests"],
  errors: ["counter", "Errors sent"],
  failures: ["counter", "Failures of the store"],
}

/** Formats counters for `/metrics`; no names, no content. */
export function formatMetrics(statistics: Statistics): string {
  const lines: string[] = []
  for (const [name, [type, help]] of Object.entries(METRICS)) {
    const metric = `agentmesh_hub_${name}${type === "counter" ? "_total" : ""}`
    const value = statistics[name as keyof Statistics]
    lines.push(`# HELP ${metric} ${help}.`, `# TYPE ${metric} ${type}`, `${metric} ${value}`)
  }
  lines.push(
    "# HELP agentmesh_hub_memory_bytes Resident memory.",
    "# TYPE agentmesh_hub_memory_bytes gauge",
    `agentmesh_hub_memory_bytes ${process.memoryUsage.rss()}`,
  )
  return `${lines.join("\n")}\n`
}
