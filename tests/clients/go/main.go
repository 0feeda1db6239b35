// The real Go SDK against the server: a service user's key, GetMyOrg, and a v2 resource from create to NOT_FOUND.
// Prints one JSON object; the test reads it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/zitadel-go/v3/pkg/client"
	perservice "github.com/zitadel/zitadel-go/v3/pkg/client/management"
	"github.com/zitadel/zitadel-go/v3/pkg/client/middleware"
	sdk "github.com/zitadel/zitadel-go/v3/pkg/client/zitadel"
	filter "github.com/zitadel/zitadel-go/v3/pkg/client/zitadel/filter/v2"
	"github.com/zitadel/zitadel-go/v3/pkg/client/zitadel/management"
	object "github.com/zitadel/zitadel-go/v3/pkg/client/zitadel/object/v2"
	project "github.com/zitadel/zitadel-go/v3/pkg/client/zitadel/project/v2"
	user "github.com/zitadel/zitadel-go/v3/pkg/client/zitadel/user/v2"
	"github.com/zitadel/zitadel-go/v3/pkg/zitadel"
	"google.golang.org/grpc/status"
)

func main() {
	ctx := context.Background()
	port, key := os.Args[1], os.Args[2]
	told := map[string]any{}

	issuer, target := "http://localhost:"+port, "localhost:"+port
	terraform, err := perservice.NewClient(ctx, issuer, target,
		[]string{oidc.ScopeOpenID, sdk.ScopeZitadelAPI()},
		sdk.WithJWTProfileTokenSource(middleware.JWTProfileFromPath(ctx, key)), sdk.WithInsecure())
	must(err)
	mine, err := terraform.GetMyOrg(middleware.SetOrgID(ctx, ""), &management.GetMyOrgRequest{})
	must(err)
	told["per_service"] = mine.GetOrg().GetName()

	api, err := client.New(ctx, zitadel.New("localhost", zitadel.WithInsecure(port)),
		client.WithAuth(client.DefaultServiceUserAuthentication(key, oidc.ScopeOpenID, client.ScopeZitadelAPI())))
	must(err)
	org, err := api.ManagementService().GetMyOrg(ctx, &management.GetMyOrgRequest{})
	must(err)
	told["all_services"] = org.GetOrg().GetName()

	users, err := api.UserServiceV2().ListUsers(ctx, &user.ListUsersRequest{Query: &object.ListQuery{Limit: 5, Asc: true}})
	must(err)
	told["users"] = len(users.GetResult())

	projects := api.ProjectServiceV2()
	made, err := projects.CreateProject(ctx, &project.CreateProjectRequest{OrganizationId: org.GetOrg().GetId(), Name: "from Go"})
	must(err)
	name := "renamed by Go"
	_, err = projects.UpdateProject(ctx, &project.UpdateProjectRequest{ProjectId: made.GetProjectId(), Name: &name})
	must(err)
	got, err := projects.GetProject(ctx, &project.GetProjectRequest{ProjectId: made.GetProjectId()})
	must(err)
	told["project"] = got.GetProject().GetName()
	listed, err := projects.ListProjects(ctx, &project.ListProjectsRequest{Filters: []*project.ProjectSearchFilter{{
		Filter: &project.ProjectSearchFilter_InProjectIdsFilter{
			InProjectIdsFilter: &filter.InIDsFilter{Ids: []string{made.GetProjectId()}}}}}})
	must(err)
	told["listed"] = len(listed.GetProjects())
	_, err = projects.DeleteProject(ctx, &project.DeleteProjectRequest{ProjectId: made.GetProjectId()})
	must(err)
	_, err = projects.GetProject(ctx, &project.GetProjectRequest{ProjectId: made.GetProjectId()})
	told["gone"] = status.Code(err).String()

	must(json.NewEncoder(os.Stdout).Encode(told))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
