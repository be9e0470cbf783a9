package web

import (
	"context"
	"slices"
	"time"

	"stroem/auth"
	"stroem/store"
)

// account is a user as Strøm shows one.
type account struct {
	UserID      string     `json:"user_id"`
	Name        string     `json:"name"`
	Email       string     `json:"email"`
	Admin       bool       `json:"is_admin"`
	Groups      []string   `json:"groups"`
	AuthMethods []string   `json:"auth_methods"`
	CreatedAt   time.Time  `json:"created_at"`
	LastLoginAt *time.Time `json:"last_login_at"`
}

func accountOf(u store.User) account {
	a := account{u.ID, u.Name, u.Email, u.Admin, append([]string{}, u.Groups...), []string{}, u.CreatedAt, present(u.LastLoginAt)}
	if u.Password != "" {
		a.AuthMethods = append(a.AuthMethods, "password")
	}
	return a
}

// OfUser is a path that names an account. It is exported for huma, which fills
// in no others.
type OfUser struct {
	User string `path:"user" doc:"Account id"`
}

type accountList struct {
	Items []account `json:"items"`
	Total int       `json:"total"`
}

func (s *site) users(ctx context.Context, in *struct {
	Limit  int `query:"limit" minimum:"1" maximum:"1000" default:"50"`
	Offset int `query:"offset" minimum:"0" default:"0"`
}) (accountList, error) {
	out := accountList{Items: []account{}}
	all, err := s.cfg.Gate.Users(ctx)
	out.Total = len(all)
	for _, u := range all[min(in.Offset, len(all)):min(in.Offset+in.Limit, len(all))] {
		out.Items = append(out.Items, accountOf(u))
	}
	return out, err
}

func (s *site) createUser(ctx context.Context, in *struct {
	Body struct {
		Email    string   `json:"email"`
		Name     string   `json:"name,omitempty"`
		Password string   `json:"password"`
		Admin    bool     `json:"is_admin,omitempty"`
		Groups   []string `json:"groups,omitempty"`
	}
}) (account, error) {
	b := in.Body
	u, err := s.cfg.Gate.CreateUser(ctx, auth.NewUser{Email: b.Email, Name: b.Name, Admin: b.Admin, Groups: b.Groups, Password: b.Password})
	return accountOf(u), err
}

func (s *site) user(ctx context.Context, in *OfUser) (account, error) {
	u, err := s.cfg.Gate.User(ctx, in.User)
	return accountOf(u), err
}

func (s *site) setAdmin(ctx context.Context, in *struct {
	OfUser
	Body struct {
		Admin bool `json:"is_admin"`
	}
}) (done, error) {
	err := s.cfg.Gate.SetAdmin(ctx, in.User, in.Body.Admin)
	return done{"ok"}, err
}

type groupList struct {
	Groups []string `json:"groups"`
}

func (s *site) groupsOf(ctx context.Context, in *OfUser) (groupList, error) {
	a, err := s.user(ctx, in)
	return groupList{a.Groups}, err
}

func (s *site) setGroups(ctx context.Context, in *struct {
	OfUser
	Body groupList
}) (done, error) {
	err := s.cfg.Gate.SetGroups(ctx, in.User, in.Body.Groups)
	return done{"ok"}, err
}

func (s *site) groups(ctx context.Context, _ *struct{}) (groupList, error) {
	all, err := s.cfg.Gate.Users(ctx)
	list := groupList{[]string{}}
	for _, u := range all {
		list.Groups = append(list.Groups, u.Groups...)
	}
	slices.Sort(list.Groups)
	list.Groups = slices.Compact(list.Groups)
	return list, err
}
