-- An Application is as healthy as it says. Argo CD has no health of its own for them, and without one
-- a sync wave does not wait for the Applications of the wave before.
local health = { status = "Progressing", message = "Waiting for Argo CD" }
if obj.status ~= nil and obj.status.health ~= nil and obj.status.health.status ~= nil then
  health.status = obj.status.health.status
  health.message = obj.status.health.message or ""
end
return health
