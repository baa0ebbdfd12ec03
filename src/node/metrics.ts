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
  partitions: ["gauge", "Partitions of the cluster owned here"],
}

function block(metric: string, type: string, help: string, values: readonly string[]): string[] {
  return [`# HELP ${metric} ${help}.`, `# TYPE ${metric} ${type}`, ...values]
}

/** Formats counters for `/metrics`; no names, no content. */
export function formatMetrics(server: NetworkHubServer): string {
  const lines: string[] = []
  const { statistics, bounds, refused } = server
  for (const [name, [type, help]] of Object.entries(METRICS)) {
    const metric = `agentmesh_hub_${name}${type === "counter" ? "_total" : ""}`
    lines.push(...block(metric, type, help, [`${metric} ${statistics[name as keyof Statistics]}`]))
  }
  for (const [name, bound] of Object.entries(bounds)) {
    const metric = `agentmesh_hub_${name}_limit`
    lines.push(...block(metric, "gauge", `Most ${name} of this process`, [`${metric} ${bound}`]))
  }
  const metric = "agentmesh_hub_refused_total"
  const counts = Array.from(refused, ([code, count]) => `${metric}{code="${code}"} ${count}`)
  const memory = "agentmesh_hub_memory_bytes"
  lines.push(
    ...block(metric, "counter", "Errors sent, by code", counts),
    ...block(memory, "gauge", "Resident memory", [`${memory} ${process.memoryUsage.rss()}`]),
  )
  return `${lines.join("\n")}\n`
}
