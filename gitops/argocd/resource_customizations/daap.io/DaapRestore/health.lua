-- Health of a DaapDatabase, DaapBackup, DaapRestore, DaapDrill or DaapSchema for Argo CD. The status keeps kstatus' rules, so this reads
-- it as kstatus does: Ready is True when clients can connect, or the backup or restore is completed, or the drill has passed, or the
-- files are applied; Reconciling while something is under way; Stalled when somebody must act. BackupHealthy and MetadataSynced are left
-- out: neither a full store nor an inventory that is away may fail a sync. A plan that waits for approval does not fail one, either.
local health = { status = "Progressing", message = "Waiting for the DaaP operator" }

local conditions = {}
if obj.status ~= nil and obj.status.conditions ~= nil then
  for _, condition in ipairs(obj.status.conditions) do
    if condition.status == "True" or condition.type == "Ready" then
      conditions[condition.type] = condition
    end
  end
end
local ready = conditions["Ready"]

if obj.metadata.deletionTimestamp ~= nil then
  health.message = "Pending deletion"
  if ready ~= nil and ready.status ~= "True" then
    health.message = ready.message
  end
  return health
end

-- What is reported of an older spec says nothing about this one
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health
end

if conditions["Reconciling"] ~= nil then
  health.message = conditions["Reconciling"].message
elseif conditions["Stalled"] ~= nil then
  health.status = "Degraded"
  if conditions["Stalled"].reason == "ApprovalRequired" then
    health.status = "Suspended"
  end
  health.message = conditions["Stalled"].message
elseif ready ~= nil then
  health.message = ready.message
  if ready.status == "True" then
    health.status = "Healthy"
  end
end
return health
