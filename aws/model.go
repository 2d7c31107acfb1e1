package aws

func (s *Service) parse() {}
